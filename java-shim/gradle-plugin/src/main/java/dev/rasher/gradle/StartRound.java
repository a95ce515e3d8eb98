package dev.rasher.gradle;

import dev.rasher.harness.ShardPlan;
import java.io.File;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.gradle.api.Action;
import org.gradle.api.GradleException;
import org.gradle.api.Task;
import org.gradle.api.file.FileVisitDetails;
import org.gradle.api.tasks.testing.Test;
import org.gradle.api.tasks.testing.junitplatform.JUnitPlatformOptions;
import org.gradle.api.tasks.testing.testng.TestNGOptions;

/** Before a test task runs: empties its folder of recordings, and notes the classes that it is given. */
final class StartRound implements Action<Task>, Serializable {
    /** The outermost classes of the task, one a line. */
    static final String CLASSES = "classes.txt";

    private static final long serialVersionUID = 1L;
    private static final String CLASS = ".class";

    private final File folder;

    StartRound(File folder) {
        this.folder = folder;
    }

    @Override
    public void execute(Task task) {
        Test test = (Test) task;
        boolean canSelect = test.getOptions() instanceof JUnitPlatformOptions || test.getOptions() instanceof TestNGOptions;
        if (!canSelect) {
            throw new GradleException("rasher: `" + test.getPath() + "` runs its tests by JUnit 4 itself, where nothing can"
                    + " be selected or recorded; set `useJUnitPlatform()` and add"
                    + " org.junit.vintage:junit-vintage-engine to testRuntimeOnly");
        }
        Set<String> classes = new TreeSet<>();
        test.getCandidateClassFiles().visit(file -> add(classes, file));
        try {
            forget();
            Files.createDirectories(folder.toPath());
            Files.write(folder.toPath().resolve(CLASSES), classes, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("rasher: cannot begin anew in " + folder, e);
        }
    }

    private static void add(Set<String> classes, FileVisitDetails file) {
        String path = file.getPath();
        if (!file.isDirectory() && path.endsWith(CLASS)) {
            classes.add(ShardPlan.outermost(path.substring(0, path.length() - CLASS.length()).replace('/', '.')));
        }
    }

    private void forget() throws IOException {
        if (!folder.isDirectory()) {
            return;
        }
        try (Stream<Path> files = Files.list(folder.toPath())) {
            List<Path> old = files.collect(Collectors.toList());
            for (Path file : old) {
                Files.delete(file);
            }
        }
    }
}
