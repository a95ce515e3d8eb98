package dev.rasher.gradle;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.gradle.api.GradleException;

/**
 * Proves that every planned test has exactly one accepted result. Tests that the plan does not know are new ones: the
 * harness runs each on one shard. Of one name a JVM may run several. Before there is a history there is no plan, and what
 * ran is held against itself.
 */
public abstract class VerifyTask extends RasherTask {
    @Override
    void perform() throws IOException {
        Path plan = getPlan().get().getAsFile().toPath();
        if (!Files.exists(plan)) {
            getLogger().warn("rasher: there is no plan at {}: it is proved only that what ran has one result each", plan);
            plan = planWhatRan();
        }
        List<String> arguments = new ArrayList<>(List.of("verify", "--accept-unknown", "--accept-repeated", "--plan", plan.toString()));
        arguments.addAll(results());
        getLogger().lifecycle("rasher: {}", rasher(arguments).orThrow().data().strip());
    }

    /** By way of a history of this run alone. */
    private Path planWhatRan() throws IOException {
        refuseBrokenOff();
        List<Path> recordings = recorded(1);
        if (recordings.isEmpty()) {
            throw new GradleException("rasher: there is no plan, and nothing is recorded: run the tests before this task");
        }
        Path history = Files.createTempDirectory(getTemporaryDir().toPath(), "history");
        List<String> record = new ArrayList<>(List.of("record", "--run", "this", "--quiet", "--json"));
        recordings.forEach(file -> record.add(file.toString()));
        rasher(record, history).orThrow();
        Path plan = history.resolve("ran.json");
        rasher(List.of("plan", "--shards", "1", "--out", plan.toString(), "--json", "--quiet", "--no-run"), history)
                .orThrow();
        return plan;
    }
}
