package dev.rasher.gradle;

import dev.rasher.Answer;
import dev.rasher.Rasher;
import dev.rasher.RasherException;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.gradle.api.DefaultTask;
import org.gradle.api.GradleException;
import org.gradle.api.file.ConfigurableFileCollection;
import org.gradle.api.file.DirectoryProperty;
import org.gradle.api.file.RegularFileProperty;
import org.gradle.api.provider.Property;
import org.gradle.api.tasks.Internal;
import org.gradle.api.tasks.TaskAction;

/** What all tasks share: where things lie, and how the command is called. */
abstract class RasherTask extends DefaultTask {
    /** The end of the name of every recording. */
    static final String RECORDING = ".attempts.jsonl";

    /** The last line of a recording whose JVM came to its end. */
    private static final String OVER = "\"over\":";

    @Internal
    public abstract Property<File> getRoot();

    /** The plan of the run, which all its shards follow. */
    @Internal
    public abstract RegularFileProperty getPlan();

    @Internal
    public abstract DirectoryProperty getStore();

    @Internal
    public abstract Property<String> getEnvironment();

    @Internal
    public abstract Property<String> getRun();

    /** Which shard this build runs, as {@code I/N}. */
    @Internal
    public abstract Property<String> getShard();

    /** The project's place in the build; empty for the root project. */
    @Internal
    public abstract Property<String> getModule();

    /** The folders of the test tasks that are looked at, or folders that hold such folders. */
    @Internal
    public abstract ConfigurableFileCollection getFolders();

    @TaskAction
    public void act() {
        try {
            perform();
        } catch (RasherException e) {
            throw new GradleException("rasher: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException("rasher: " + e, e);
        }
    }

    abstract void perform() throws IOException;

    Answer rasher(List<String> arguments) {
        return rasher(arguments, getStore().get().getAsFile().toPath());
    }

    Answer rasher(List<String> arguments, Path history) {
        List<String> all = new ArrayList<>(arguments);
        all.addAll(List.of("--store", history.toString(), "--env", getEnvironment().get()));
        getLogger().info("rasher {}", String.join(" ", all));
        Answer answer = Rasher.run(getRoot().get().toPath(), all);
        if (answer.exitCode() == 0 && !answer.words().isEmpty()) {
            getLogger().lifecycle("rasher: {}", answer.words());
        }
        return answer;
    }

    /** The files recorded in a round. */
    List<Path> recorded(int round) throws IOException {
        List<Path> found = new ArrayList<>();
        for (Path folder : roundFolders(round)) {
            for (Path file : list(folder)) {
                if (file.toString().endsWith(RECORDING)) {
                    found.add(file);
                }
            }
        }
        return found;
    }

    /** The last round that left a folder; at least 1. */
    int lastRound() throws IOException {
        int round = 1;
        while (!roundFolders(round + 1).isEmpty()) {
            round++;
        }
        return round;
    }

    private List<Path> roundFolders(int round) throws IOException {
        List<Path> found = new ArrayList<>();
        for (File folder : getFolders()) {
            List<Path> tasks = new ArrayList<>(list(folder.toPath()));
            tasks.add(0, folder.toPath());
            for (Path task : tasks) {
                Path attempts = task.resolve(TestRounds.attemptsName(round));
                if (Files.isDirectory(attempts)) {
                    found.add(attempts);
                }
            }
        }
        return found;
    }

    private static List<Path> list(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().collect(Collectors.toList());
        }
    }

    /** {@code --results} of all rounds. */
    List<String> results() throws IOException {
        List<String> arguments = new ArrayList<>();
        for (int round = 1; round <= lastRound(); round++) {
            for (Path file : recorded(round)) {
                arguments.addAll(List.of("--results", round + "=" + file));
            }
        }
        return arguments;
    }

    /** Without a plan only what ran is known, and a JVM that died had more to run. */
    void refuseBrokenOff() throws IOException {
        for (Path file : recorded(1)) {
            List<String> lines = Files.readAllLines(file);
            if (lines.isEmpty() || !lines.get(lines.size() - 1).contains(OVER)) {
                throw new GradleException("rasher: a test JVM died before its tests were over (" + file + "), and"
                        + " without a plan nothing tells what it had still to run; run all tests again, or with"
                        + " -Prasher.shard=1/1 and a history, which makes a plan");
            }
        }
    }
}
