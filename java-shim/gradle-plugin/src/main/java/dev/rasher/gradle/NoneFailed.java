package dev.rasher.gradle;

import java.io.File;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.gradle.api.Task;
import org.gradle.api.specs.Spec;

/** True where no test failed in what a task recorded last: only then need it not run again. */
final class NoneFailed implements Spec<Task>, Serializable {
    private static final long serialVersionUID = 1L;
    private static final Pattern FAILED = Pattern.compile("\"outcome\":\"(?!passed|skipped)");

    private final File folder;

    NoneFailed(File folder) {
        this.folder = folder;
    }

    @Override
    public boolean isSatisfiedBy(Task task) {
        return !folder.isDirectory() || !anyFailed(folder);
    }

    private static boolean anyFailed(File folder) {
        try (Stream<Path> files = Files.list(folder.toPath())) {
            List<Path> all = files.collect(Collectors.toList());
            for (Path file : all) {
                if (FAILED.matcher(Files.readString(file)).find()) {
                    return true;
                }
            }
            return false;
        } catch (IOException e) {
            throw new UncheckedIOException("rasher: cannot read " + folder, e);
        }
    }
}
