package dev.rasher.maven;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What the first round had to run: the plan; of one shard, the plan's tests on that shard; and without any plan, what
 * ran. Made once, so that all rounds are judged by the same.
 */
final class FirstPlan {
    private final RasherMojo mojo;
    private final Path plan;

    FirstPlan(RasherMojo mojo) {
        this.mojo = mojo;
        this.plan = mojo.plan.toPath();
    }

    /** Where it lies; it is made where it is missing. */
    Path path() throws IOException {
        boolean isPlanned = Files.exists(plan);
        if (isPlanned && mojo.shard == null) {
            return plan;
        }
        Path own = isPlanned ? ofShard() : whatRan();
        if (!Files.exists(own)) {
            Files.createDirectories(own.toAbsolutePath().getParent());
            if (isPlanned) {
                planShard(own);
            } else {
                planWhatRan(own);
            }
        }
        return own;
    }

    /** Forgets what was made for a round that is about to run again. */
    void forget() throws IOException {
        Files.deleteIfExists(ofShard());
        Files.deleteIfExists(whatRan());
    }

    private Path ofShard() {
        return plan.resolveSibling("shard-" + String.valueOf(mojo.shard).replace('/', '-') + ".json");
    }

    private Path whatRan() {
        return plan.resolveSibling("ran.json");
    }

    private void planShard(Path own) throws IOException {
        String document = mojo.rasher(List.of("shard", mojo.shard, "--plan", plan.toString(), "--format", "json"))
                .orThrow().data();
        int start = document.indexOf('[', document.indexOf("\n  \"tests\":"));
        // The list's end stands on a line of its own, where no text can reach.
        int end = document.startsWith("[]", start) ? start + 2 : document.indexOf("\n  ]", start) + 4;
        // With a history of its own: the store keeps one plan for a run of the CI, and this is not that plan.
        Path history = Files.createTempDirectory("rasher");
        try {
            Path list = history.resolve("tests.json");
            Files.write(list, document.substring(start, end).getBytes(StandardCharsets.UTF_8));
            mojo.rasher(List.of("plan", "--shards", "1", "--tests", list.toString(), "--out", own.toString(), "--json",
                    "--quiet", "--no-run"), history).orThrow();
        } finally {
            delete(history);
        }
    }

    /** By way of a history of this run alone. */
    private void planWhatRan(Path own) throws IOException {
        List<String> record = new ArrayList<>(List.of("record", "--run", "this", "--quiet", "--json"));
        for (Path file : mojo.recordings(1)) {
            record.add(file.toString());
        }
        Path store = Files.createTempDirectory("rasher");
        try {
            mojo.rasher(record, store).orThrow();
            mojo.rasher(List.of("plan", "--shards", "1", "--out", own.toString(), "--json", "--quiet", "--no-run"), store)
                    .orThrow();
        } finally {
            delete(store);
        }
    }

    private static void delete(Path folder) throws IOException {
        List<Path> all;
        try (Stream<Path> files = Files.walk(folder)) {
            all = files.sorted((one, other) -> other.compareTo(one)).collect(Collectors.toList());
        }
        for (Path file : all) {
            Files.delete(file);
        }
    }
}
