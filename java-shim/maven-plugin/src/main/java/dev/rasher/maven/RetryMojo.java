package dev.rasher.maven;

import dev.rasher.Answer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;

/**
 * Plans what is outstanding and lets this build run exactly that: {@code mvn rasher:retry test}. Nothing outstanding
 * means that no test runs.
 */
@Mojo(name = "retry", defaultPhase = LifecyclePhase.PROCESS_TEST_CLASSES, threadSafe = true)
public final class RetryMojo extends Selecting {
    private static final Object LOCK = new Object();
    private static final Pattern NONE = Pattern.compile("\"tests\":\\s*0\\b");
    private static final String ROUND = "rasher.retry.round";

    /** Made by Maven. */
    public RetryMojo() {}

    @Override
    void perform() throws IOException, MojoFailureException {
        int round;
        synchronized (LOCK) {
            // All modules of one build follow one retry plan.
            String known = session.getUserProperties().getProperty(ROUND);
            round = known == null ? make() : Integer.parseInt(known);
            session.getUserProperties().setProperty(ROUND, String.valueOf(round));
        }
        if (round == 0) {
            getLog().info("rasher: nothing is outstanding; no test runs");
            project.getProperties().setProperty("skipTests", "true");
            return;
        }
        String part = shard == null ? "1/1" : shard;
        List<String> arguments = List.of("shard", part, "--plan", planOf(round).toString(), "--format", "harness");
        select(rasher(arguments).orThrow().data(), round);
    }

    /** Makes the retry plan; 0 where nothing is outstanding. */
    private int make() throws IOException, MojoFailureException {
        int round = rounds() + 1;
        Path file = planOf(round);
        List<String> arguments = new ArrayList<>(List.of("retry"));
        arguments.addAll(evidence());
        String total = shard == null ? "1" : shard.substring(shard.indexOf('/') + 1);
        arguments.addAll(List.of("--mode", "reshard", "--shards", total, "--out", file.toString(), "--json"));
        Answer answer = rasher(arguments).orThrow();
        boolean isNeeded = Files.exists(file) && !NONE.matcher(answer.data()).find();
        if (!isNeeded) {
            Files.deleteIfExists(file);
        }
        return isNeeded ? round : 0;
    }
}
