package dev.rasher.gradle;

import dev.rasher.Attempts;
import dev.rasher.Rasher;
import dev.rasher.Transport;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Asks the engine what is outstanding after the rounds so far. */
final class Outstanding {
    /** A shard file by which nothing runs. */
    static final String NOTHING = "rasher-shard 1\nplan none\nshard 1 1 retry\nend 81a56419\n";

    private static final Pattern TESTS = Pattern.compile("\"tests\":\\s*(\\d+)");

    private Outstanding() {}

    /** Writes the plan of what must run again; gives how many tests that is. */
    static int plan(RasherTask task, Path out) throws IOException {
        Files.createDirectories(out.getParent());
        if (task.recorded(1).isEmpty()) {
            return 0;
        }
        if (!Files.exists(task.planOf(1))) {
            planWhatRan(task);
        }
        List<String> arguments = new ArrayList<>(List.of("retry"));
        arguments.addAll(task.evidence());
        arguments.addAll(List.of("--mode", "reshard", "--shards", "1", "--out", out.toString(), "--json"));
        Matcher tests = TESTS.matcher(task.rasher(arguments).orThrow().data());
        return tests.find() ? Integer.parseInt(tests.group(1)) : 0;
    }

    /** Without a plan, what ran is what was planned. */
    private static void planWhatRan(RasherTask task) throws IOException {
        List<byte[]> files = new ArrayList<>();
        for (Path file : task.recorded(1)) {
            files.add(Files.readAllBytes(file));
        }
        Attempts attempts = Rasher.open(Transport.AUTO).read(files);
        Path list = task.getTemporaryDir().toPath().resolve("tests.json");
        Files.write(list, attempts.testList().getBytes(StandardCharsets.UTF_8));
        task.rasher(List.of("plan", "--shards", "1", "--tests", list.toString(), "--out", task.planOf(1).toString(),
                "--json")).orThrow();
    }
}
