package dev.rasher.gradle;

import dev.rasher.Answer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.gradle.api.file.RegularFileProperty;
import org.gradle.api.provider.Property;
import org.gradle.api.tasks.Internal;
import org.gradle.api.tasks.OutputFile;

/** Finds out what must run again, and writes it down for the harness; nothing, where nothing must. */
public abstract class OutstandingTask extends RasherTask {
    /**
     * With more outstanding tests than this nothing is run again; 0 means no limit.
     *
     * @return the setting
     */
    @Internal
    public abstract Property<Integer> getMaxFailures();

    /**
     * The round to be planned, from 2.
     *
     * @return the setting
     */
    @Internal
    public abstract Property<Integer> getRound();

    /**
     * The shard file that the harness reads.
     *
     * @return the setting
     */
    @OutputFile
    public abstract RegularFileProperty getShardFile();

    @Override
    void perform() throws IOException {
        int round = getRound().get();
        Path plan = planOf(round);
        for (int later = round; later <= lastRound(); later++) {
            Files.deleteIfExists(planOf(later));
        }
        int outstanding = Outstanding.plan(this, plan);
        int limit = getMaxFailures().get();
        if (limit > 0 && outstanding > limit) {
            getLogger().lifecycle("rasher: {} tests are outstanding, more than maxFailures = {}: nothing is retried",
                    outstanding, limit);
            Files.deleteIfExists(plan);
            outstanding = 0;
        }
        Files.write(getShardFile().get().getAsFile().toPath(),
                text(outstanding == 0 ? null : plan).getBytes(StandardCharsets.UTF_8));
    }

    private String text(Path plan) {
        if (plan == null) {
            // CRC-32 of the lines above it, as in every shard file.
            return Outstanding.NOTHING;
        }
        List<String> arguments =
                new ArrayList<>(List.of("shard", "1/1", "--plan", plan.toString(), "--format", "harness"));
        Answer answer = rasher(arguments).orThrow();
        return answer.data();
    }
}
