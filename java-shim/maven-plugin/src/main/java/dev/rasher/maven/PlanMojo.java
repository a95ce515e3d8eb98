package dev.rasher.maven;

import dev.rasher.Answer;
import dev.rasher.Inventory;
import dev.rasher.harness.ShardPlan;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Makes the plan where there is none yet, and lets this build run one shard of it and record what it runs. Bound to a
 * phase it also spares Surefire the scan of foreign classes; in front of {@code test} on the command line it needs no
 * change of the POM: {@code mvn dev.rasher:rasher-maven-plugin:plan test -Drasher.shard=3/8}.
 */
@Mojo(name = "plan", defaultPhase = LifecyclePhase.PROCESS_TEST_CLASSES, threadSafe = true)
public final class PlanMojo extends Selecting {
    private static final Object LOCK = new Object();

    /** The branch, which chooses the history to plan by; by default the CI's. */
    @Parameter(property = "rasher.branch")
    private String branch;

    /** Made by Maven. */
    public PlanMojo() {}

    @Override
    void perform() throws IOException {
        if (session.getUserProperties().getProperty(RetryMojo.ROUND) != null) {
            getLog().info("rasher: this build retries, and plans nothing else");
            return;
        }
        forget();
        if (shard == null) {
            getLog().info("rasher: all tests run and are recorded; -Drasher.shard=I/N runs a part");
            select(null, 1);
            return;
        }
        String total = shard.substring(shard.indexOf('/') + 1);
        boolean isPlanned;
        synchronized (LOCK) {
            isPlanned = Files.exists(plan.toPath()) || make(total);
        }
        if (!isPlanned) {
            select(EmptyShard.of(shard), 1);
            return;
        }
        select(shard, plan.toPath(), 1);
    }

    /** Takes away the rounds behind the one that is about to run again: they would speak for what is no more. */
    private void forget() throws IOException {
        new FirstPlan(this).forget();
        for (int round = 2; ; round++) {
            boolean isPlanned = Files.deleteIfExists(retryPlan(round));
            List<Recording> recordings = Recording.list(attempts(project, round));
            if (!isPlanned && recordings.isEmpty()) {
                return;
            }
            for (Recording recording : recordings) {
                Files.delete(recording.file());
            }
        }
    }

    /** Makes the plan; false where there is no history to make it of, and classes are spread evenly instead. */
    private boolean make(String total) throws IOException {
        Path file = plan.toPath();
        if (!Files.isDirectory(store.toPath())) {
            getLog().warn("rasher: no history at " + store + ": classes are spread evenly by their names; record this"
                    + " run with `rasher:collect`, so that the next one can be planned");
            return false;
        }
        Path facts = Files.createTempFile("rasher", ".txt");
        try {
            Files.write(facts, wholeMethods(), StandardCharsets.UTF_8);
            List<String> arguments = new ArrayList<>(
                    List.of("plan", "--shards", total, "--facts", facts.toString(), "--out", file.toString(), "--json"));
            if (run != null) {
                arguments.addAll(List.of("--run", run));
            }
            if (branch != null) {
                arguments.addAll(List.of("--branch", branch));
            }
            Answer answer = rasher(arguments).orThrow(3);
            if (answer.exitCode() == 3) {
                getLog().warn("rasher: " + answer.words());
            }
        } finally {
            Files.delete(facts);
        }
        return true;
    }

    /** Keeps the invocations of a method on one shard: before they run they cannot be told apart. */
    private List<String> wholeMethods() throws IOException {
        Path all = Files.createTempFile("rasher", ".json");
        try {
            List<String> arguments = new ArrayList<>(List.of("plan", "--shards", "1", "--out", all.toString(), "--json",
                    "--quiet", "--no-run"));
            if (branch != null) {
                arguments.addAll(List.of("--branch", branch));
            }
            rasher(arguments).orThrow();
            Inventory inventory = Inventory.read(Files.readString(all));
            List<String> facts = new ArrayList<>();
            for (int at = 0; at < inventory.size(); at++) {
                String test = inventory.test(at);
                String group = inventory.group(at);
                int hash = test.indexOf('#');
                if (group != null && hash >= 0 && test.chars().noneMatch(c -> c < ' ')) {
                    facts.add(test + "\tResourceLock\t" + group + '#' + ShardPlan.bare(test.substring(hash + 1)));
                }
            }
            return facts;
        } finally {
            Files.delete(all);
        }
    }
}
