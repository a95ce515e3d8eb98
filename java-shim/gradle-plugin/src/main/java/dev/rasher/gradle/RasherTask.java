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
    @Internal
    public abstract Property<File> getRoot();

    @Internal
    public abstract RegularFileProperty getPlan();

    @Internal
    public abstract DirectoryProperty getStore();

    @Internal
    public abstract Property<String> getEnvironment();

    @Internal
    public abstract Property<String> getRun();

    /** The folders of recordings, in the order of the rounds. */
    @Internal
    public abstract ConfigurableFileCollection getRecordings();

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
        List<String> all = new ArrayList<>(arguments);
        all.addAll(List.of("--store", getStore().get().getAsFile().getPath(), "--env", getEnvironment().get()));
        getLogger().info("rasher {}", String.join(" ", all));
        Answer answer = Rasher.run(getRoot().get().toPath(), all);
        if (answer.exitCode() == 0 && !answer.words().isEmpty()) {
            getLogger().lifecycle("rasher: {}", answer.words());
        }
        return answer;
    }

    /** The name of the test task whose rounds these are; empty where several are looked at. */
    @Internal
    public abstract Property<String> getOf();

    /** The plan of a round: the first is the plan, later ones lie beside it. */
    Path planOf(int round) {
        Path first = getPlan().get().getAsFile().toPath();
        if (round == 1) {
            return first;
        }
        String path = getPath().substring(0, getPath().lastIndexOf(':') + 1).replace(':', '-').substring(1);
        return first.resolveSibling("retry-" + path + getOf().getOrElse("") + "-" + round + ".json");
    }

    /** The files recorded in a round. */
    List<Path> recorded(int round) throws IOException {
        List<Path> found = new ArrayList<>();
        for (File folder : getRecordings()) {
            if (folder.getName().equals("attempts-" + round) && folder.isDirectory()) {
                try (Stream<Path> files = Files.list(folder.toPath())) {
                    found.addAll(files.sorted().collect(Collectors.toList()));
                }
            }
        }
        return found;
    }

    int lastRound() {
        int last = 1;
        for (File folder : getRecordings()) {
            last = Math.max(last, Integer.parseInt(folder.getName().substring("attempts-".length())));
        }
        return last;
    }

    /** {@code --plan} and {@code --results} of the rounds that ran. */
    List<String> evidence() throws IOException {
        List<String> arguments = new ArrayList<>();
        for (int round = 1; round <= lastRound(); round++) {
            if (Files.exists(planOf(round))) {
                arguments.addAll(List.of("--plan", planOf(round).toString()));
            }
            for (Path file : recorded(round)) {
                arguments.addAll(List.of("--results", round + "=" + file));
            }
        }
        return arguments;
    }
}
