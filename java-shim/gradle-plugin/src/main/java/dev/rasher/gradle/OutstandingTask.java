package dev.rasher.gradle;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.gradle.api.file.RegularFileProperty;
import org.gradle.api.provider.Property;
import org.gradle.api.tasks.Internal;
import org.gradle.api.tasks.OutputFile;

/** Finds out what must run again, and writes it down for the harness; nothing, where nothing must. */
public abstract class OutstandingTask extends JudgedTask {
    /** A shard file by which nothing runs; the last line is the CRC-32 of those above it, as in every shard file. */
    private static final String NOTHING = "rasher-shard 1\nplan none\nshard 1 1 retry\nend 81a56419\n";

    private static final Pattern TESTS = Pattern.compile("\"tests\":\\s*(\\d+)");

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
        forgetFrom(round);
        Path plan = planOf(round);
        boolean isPlanned = round == 2 ? planFirst() : Files.exists(planOf(round - 1));
        int outstanding = isPlanned ? outstanding(plan) : 0;
        int limit = getMaxFailures().get();
        if (limit > 0 && outstanding > limit) {
            getLogger().lifecycle("rasher: {} tests are outstanding, more than maxFailures = {}: nothing is retried",
                    outstanding, limit);
            outstanding = 0;
        }
        if (outstanding == 0) {
            Files.deleteIfExists(plan);
        }
        Files.write(getShardFile().get().getAsFile().toPath(),
                (outstanding == 0 ? NOTHING : text(plan)).getBytes(StandardCharsets.UTF_8));
    }

    /** What lies there of this round and later ones is an earlier build's. */
    private void forgetFrom(int round) throws IOException {
        if (round == 2) {
            Files.deleteIfExists(planOf(1));
        }
        for (int later = round; later <= lastRound() || Files.exists(planOf(later)); later++) {
            Files.deleteIfExists(planOf(later));
            for (Path file : recorded(later)) {
                Files.delete(file);
            }
        }
    }

    /** Writes the plan of what must run again; gives how many tests that is. */
    private int outstanding(Path plan) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("retry"));
        arguments.addAll(evidence());
        arguments.addAll(
                List.of("--mode", "reshard", "--shards", "1", "--out", plan.toString(), "--json", "--quiet"));
        Matcher tests = TESTS.matcher(rasher(arguments).orThrow().data());
        return tests.find() ? Integer.parseInt(tests.group(1)) : 0;
    }

    private String text(Path plan) throws IOException {
        List<String> arguments = List.of("shard", "1/1", "--plan", plan.toString(), "--format");
        List<String> tests = Ids.read(shard(arguments, "json"), "tests");
        List<Path> all = new ArrayList<>();
        for (int round = 1; round < getRound().get(); round++) {
            all.addAll(recorded(round));
        }
        List<Path> last = recorded(getRound().get() - 1);
        return Methods.of(all, last).inPlaceOfNames(shard(arguments, "harness"), tests);
    }

    private String shard(List<String> arguments, String format) {
        List<String> all = new ArrayList<>(arguments);
        all.add(format);
        return rasher(all).orThrow().data();
    }
}
