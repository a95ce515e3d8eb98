package dev.rasher.maven;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/** Records what all modules ran into history; recording twice changes nothing. */
@Mojo(name = "collect", aggregator = true, threadSafe = true)
public final class CollectMojo extends RasherMojo {
    /** The branch; by default the CI's. */
    @Parameter(property = "rasher.branch")
    private String branch;

    /** The commit under test; by default the CI's. */
    @Parameter(property = "rasher.commit")
    private String commit;

    /** Which shard ran, as {@code I/N}. */
    @Parameter(property = "rasher.shard")
    private String shard;

    /** Made by Maven. */
    public CollectMojo() {}

    @Override
    void perform() throws IOException, MojoFailureException {
        boolean isAny = false;
        for (int round = 1; round <= rounds(); round++) {
            List<Path> files = recordings(round);
            if (!files.isEmpty()) {
                record(round, files);
                isAny = true;
            }
        }
        if (!isAny) {
            throw new MojoFailureException("rasher: no attempts are recorded below " + root()
                    + "; run the tests with `rasher:plan` before this goal");
        }
    }

    private void record(int round, List<Path> files) {
        List<String> arguments = new ArrayList<>(List.of("record"));
        files.forEach(file -> arguments.add(file.toString()));
        arguments.addAll(List.of("--attempt", String.valueOf(round)));
        if (Files.exists(planOf(round))) {
            arguments.addAll(List.of("--plan", planOf(round).toString()));
        }
        if (shard != null && round == 1) {
            arguments.addAll(List.of("--shard", shard.substring(0, shard.indexOf('/'))));
        }
        add(arguments, "--run", run);
        add(arguments, "--branch", branch);
        add(arguments, "--commit", commit);
        rasher(arguments).orThrow().data().lines().forEach(line -> getLog().info("rasher: " + line));
    }

    private static void add(List<String> arguments, String option, String value) {
        if (value != null) {
            arguments.addAll(List.of(option, value));
        }
    }
}
