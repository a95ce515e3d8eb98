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
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.project.MavenProject;

/**
 * Plans what is outstanding and lets this build run exactly that: {@code mvn rasher:retry test}. Nothing outstanding
 * means that no test runs.
 */
@Mojo(name = "retry", defaultPhase = LifecyclePhase.PROCESS_TEST_CLASSES, threadSafe = true)
public final class RetryMojo extends Selecting {
    private static final Object LOCK = new Object();
    private static final Pattern NONE = Pattern.compile("\"tests\":\\s*0\\b");

    /** Set in a build that retries, to the round; such a build plans nothing else. */
    static final String ROUND = "rasher.retry.round";

    /**
     * Which part of the retry to run, as {@code I/N}, where what all shards have left outstanding is spread over
     * several machines again.
     */
    @Parameter(property = "rasher.retry.shard", defaultValue = "1/1")
    private String retryShard;

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
            // Each tool has its own; Failsafe 3.6 no longer listens to Surefire's.
            TestTool.ALL.values().forEach(tool -> project.getProperties().setProperty(tool.skipProperty(), "true"));
            return;
        }
        select(retryShard, retryPlan(round), round);
    }

    /** Makes the retry plan; 0 where nothing is outstanding. */
    private int make() throws IOException, MojoFailureException {
        if (isEmptyShard()) {
            return 0;
        }
        int round = rounds() + 1;
        Path file = retryPlan(round);
        List<String> arguments = new ArrayList<>(List.of("retry"));
        arguments.addAll(evidence());
        String total = retryShard.substring(retryShard.indexOf('/') + 1);
        arguments.addAll(List.of("--mode", "reshard", "--shards", total, "--out", file.toString(), "--json"));
        Answer answer = rasher(arguments).orThrow();
        boolean isNeeded = Files.exists(file) && !NONE.matcher(answer.data()).find();
        if (!isNeeded) {
            Files.deleteIfExists(file);
        }
        return isNeeded ? round : 0;
    }
}
