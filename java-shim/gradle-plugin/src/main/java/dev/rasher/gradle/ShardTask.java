package dev.rasher.gradle;

import dev.rasher.Answer;
import dev.rasher.Inventory;
import dev.rasher.harness.ShardPlan;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;
import org.gradle.api.file.RegularFileProperty;
import org.gradle.api.tasks.OutputFile;

/** Makes the plan where there is none yet, and writes down what this build runs of it. */
public abstract class ShardTask extends RasherTask {
    /** One plan for all projects of a build, made by whichever comes first. */
    private static final Object LOCK = new Object();

    /**
     * The shard file that the harness reads.
     *
     * @return the setting
     */
    @OutputFile
    public abstract RegularFileProperty getShardFile();

    @Override
    void perform() throws IOException {
        String shard = getShard().get();
        Path plan = getPlan().get().getAsFile().toPath();
        boolean isPlanned;
        synchronized (LOCK) {
            isPlanned = Files.exists(plan) || make(plan, shard.substring(shard.indexOf('/') + 1));
        }
        String text = isPlanned
                ? rasher(List.of("shard", shard, "--plan", plan.toString(), "--format", "harness")).orThrow().data()
                : empty(shard);
        Files.write(getShardFile().get().getAsFile().toPath(), text.getBytes(StandardCharsets.UTF_8));
    }

    private boolean make(Path plan, String total) throws IOException {
        File store = getStore().get().getAsFile();
        if (!store.isDirectory()) {
            getLogger().warn("rasher: no history at {}: classes are spread evenly by their names; record this run with"
                    + " `rasherCollect`, so that the next one can be planned", store);
            return false;
        }
        Path facts = getTemporaryDir().toPath().resolve("facts.txt");
        Files.write(facts, wholeClasses(), StandardCharsets.UTF_8);
        List<String> arguments = new ArrayList<>(
                List.of("plan", "--shards", total, "--facts", facts.toString(), "--out", plan.toString(), "--json"));
        if (getRun().isPresent()) {
            arguments.addAll(List.of("--run", getRun().get()));
        }
        Answer answer = rasher(arguments).orThrow(3);
        if (answer.exitCode() == 3) {
            getLogger().warn("rasher: {}", answer.words());
        }
        return true;
    }

    /**
     * Keeps every class on one shard. Gradle prints names from which no method can be told ({@code [2] 7}), and what
     * cannot be told apart before it runs cannot be spread.
     */
    private List<String> wholeClasses() throws IOException {
        Path all = getTemporaryDir().toPath().resolve("all.json");
        rasher(List.of("plan", "--shards", "1", "--out", all.toString(), "--json", "--quiet",
                "--no-run")).orThrow();
        Inventory inventory = Inventory.read(Files.readString(all));
        List<String> facts = new ArrayList<>();
        for (int at = 0; at < inventory.size(); at++) {
            String test = inventory.test(at);
            if (inventory.group(at) != null && test.chars().noneMatch(c -> c < ' ')) {
                facts.add(test + "\tResourceLock\t" + ShardPlan.outermost(inventory.group(at)));
            }
        }
        return facts;
    }

    /** A shard of a plan that knows no test: every class is new, and runs where its hash falls. */
    private static String empty(String shard) {
        String body = "rasher-shard 1\nplan none\nshard " + shard.replace('/', ' ') + " plan\n";
        CRC32 crc = new CRC32();
        crc.update(body.getBytes(StandardCharsets.UTF_8));
        return body + "end " + String.format("%08x", crc.getValue()) + '\n';
    }
}
