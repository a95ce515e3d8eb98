package dev.rasher.maven;

import dev.rasher.Answer;
import dev.rasher.Rasher;
import dev.rasher.RasherException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.maven.execution.MavenSession;
import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.project.MavenProject;

/** What all goals share: where things lie, and how the command is called. */
abstract class RasherMojo extends AbstractMojo {
    /** The plan, shared by all modules and all shards; made where it is missing. */
    @Parameter(property = "rasher.plan", defaultValue = "${session.executionRootDirectory}/target/rasher/plan.json")
    File plan;

    /** Where history is kept. */
    @Parameter(property = "rasher.store", defaultValue = "${session.executionRootDirectory}/.rasher")
    File store;

    /** Os, jdk, browser and job in a short name; durations never mix between environments. */
    @Parameter(property = "rasher.env", defaultValue = "default")
    String env;

    /** The run that all its shards and retries share; by default the CI's. */
    @Parameter(property = "rasher.run")
    String run;

    /**
     * Which shard this is about, as {@code I/N}; without it, what all shards have run. A retry or a verdict of one
     * shard looks at nothing but the tests of that shard, so that a machine can retry its own.
     */
    @Parameter(property = "rasher.shard")
    String shard;

    /** Does nothing. */
    @Parameter(property = "rasher.skip", defaultValue = "false")
    boolean skip;

    @Parameter(defaultValue = "${session}", readonly = true)
    MavenSession session;

    @Parameter(defaultValue = "${project}", readonly = true)
    MavenProject project;

    @Override
    public final void execute() throws MojoExecutionException, MojoFailureException {
        if (skip) {
            getLog().info("rasher: skipped");
            return;
        }
        try {
            perform();
        } catch (RasherException.BlockedException | RasherException.IncompleteException e) {
            throw new MojoFailureException(e.getMessage(), e);
        } catch (RasherException e) {
            throw new MojoExecutionException(e.getMessage(), e);
        } catch (IOException e) {
            throw new MojoExecutionException("rasher: " + e, e);
        }
    }

    abstract void perform() throws IOException, MojoFailureException;

    Path root() {
        return new File(session.getExecutionRootDirectory()).toPath();
    }

    /** Everything of one round of the run, in each module. */
    static Path folder(MavenProject module) {
        return new File(module.getBuild().getDirectory(), "rasher").toPath();
    }

    static Path attempts(MavenProject module, int round) {
        return folder(module).resolve("attempts-" + round);
    }

    /** Where the plan of a retry lies; those of one shard lie apart from those of all. */
    Path retryPlan(int round) {
        String prefix = shard == null ? "" : "shard-" + shard.replace('/', '-') + "-";
        return plan.toPath().resolveSibling(prefix + "retry-" + round + ".json");
    }

    /** The plan of a round: the first is what was to run, later ones are retries beside it. */
    Path planOf(int round) throws IOException {
        return round == 1 ? new FirstPlan(this).path() : retryPlan(round);
    }

    /** How many rounds there are on disk, at least one; a machine that retried its own shard left no plan for all. */
    int rounds() throws IOException {
        int round = 1;
        while (Files.exists(retryPlan(round + 1)) || !recordings(round + 1).isEmpty()) {
            round++;
        }
        return round;
    }

    /** Calls the command; what it says goes to the log. */
    Answer rasher(List<String> arguments) {
        return rasher(arguments, store.toPath());
    }

    Answer rasher(List<String> arguments, Path history) {
        List<String> all = new ArrayList<>(arguments);
        all.addAll(List.of("--store", history.toString(), "--env", env));
        getLog().debug("rasher " + String.join(" ", all));
        Answer answer = Rasher.run(root(), all);
        if (answer.exitCode() == 0) {
            answer.words().lines().forEach(line -> getLog().info("rasher: " + line));
        }
        return answer;
    }

    /** The files that the modules recorded in a round. */
    List<Path> recordings(int round) throws IOException {
        List<Path> found = new ArrayList<>();
        for (MavenProject module : session.getProjects()) {
            for (Recording recording : Recording.list(attempts(module, round))) {
                // What a retry records is of a plan of its own.
                if (round > 1 || shard == null || recording.isOf(shard)) {
                    found.add(recording.file());
                }
            }
        }
        return found;
    }

    /** Says in a module that a shard has no class of it, so that no test JVM is started there. */
    Path emptyMark(MavenProject module) {
        return folder(module).resolve("empty-" + shard.replace('/', '-'));
    }

    /** Whether nothing ran here because the shard has nothing, which is success. */
    boolean isEmptyShard() throws IOException {
        if (shard == null || !recordings(1).isEmpty()) {
            return false;
        }
        boolean isMarked = false;
        for (MavenProject module : session.getProjects()) {
            boolean isMarkedHere = Files.exists(emptyMark(module));
            if (!isMarkedHere && Files.isDirectory(Path.of(module.getBuild().getTestOutputDirectory()))) {
                return false;
            }
            isMarked |= isMarkedHere;
        }
        if (isMarked) {
            getLog().info("rasher: shard " + shard + " has no tests: nothing ran, and that is success");
        }
        return isMarked;
    }

    /** Fails where there is nothing to look at. */
    void requireRecordings() throws IOException, MojoFailureException {
        for (int round = 1; round <= rounds(); round++) {
            if (!recordings(round).isEmpty()) {
                return;
            }
        }
        throw new MojoFailureException("rasher: no attempts are recorded below " + root()
                + "; run the tests with `rasher:plan` before this goal");
    }

    /** {@code --plan} and {@code --results} of all rounds. */
    List<String> evidence() throws IOException, MojoFailureException {
        requireRecordings();
        for (MavenProject module : session.getProjects()) {
            Unrecorded.refuse(module);
        }
        if (!Files.exists(plan.toPath())) {
            refuseBrokenOff();
        }
        List<String> arguments = new ArrayList<>();
        for (int round = 1; round <= rounds(); round++) {
            if (Files.exists(planOf(round))) {
                arguments.addAll(List.of("--plan", planOf(round).toString()));
            }
            for (Path file : recordings(round)) {
                arguments.addAll(List.of("--results", round + "=" + file));
            }
        }
        return arguments;
    }

    /** Without a plan only what ran is known, and a JVM that died had more to run. */
    private void refuseBrokenOff() throws IOException, MojoFailureException {
        for (MavenProject module : session.getProjects()) {
            for (Recording recording : Recording.list(attempts(module, 1))) {
                if (!recording.isOver()) {
                    throw new MojoFailureException("rasher: a test JVM died before its tests were over ("
                            + recording.file() + "), and without a plan nothing tells what it had still to run; run all"
                            + " tests again, or with -Drasher.shard=1/1 and a history, which makes a plan");
                }
            }
        }
    }
}
