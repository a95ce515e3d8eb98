package dev.rasher.gradle;

import dev.rasher.Attempts;
import dev.rasher.Inventory;
import dev.rasher.Rasher;
import dev.rasher.Transport;
import dev.rasher.harness.ShardPlan;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.gradle.api.GradleException;

/**
 * What looks at the rounds of one test task on this machine.
 *
 * <p>A plan covers every shard and every test task of a build, and each test task answers for its own part alone. So
 * what it has to answer for is planned anew: the tests of this shard whose classes it runs, and whatever else ran.
 */
abstract class JudgedTask extends RasherTask {
    /** The plan of a round: the first is of what this task answers for, later ones are retries. */
    Path planOf(int round) {
        Path folder = getFolders().getSingleFile().toPath();
        return folder.resolve(round == 1 ? "plan.json" : "retry-" + round + ".json");
    }

    /** Plans the first round; false where there is nothing to answer for. */
    boolean planFirst() throws IOException {
        Set<String> tests = planned();
        tests.addAll(ran());
        tests.removeIf(row -> row.indexOf('#') < 0 && tests.stream().anyMatch(test -> test.startsWith(row + '#')));
        if (tests.isEmpty()) {
            return false;
        }
        Path list = getTemporaryDir().toPath().resolve("tests.json");
        Files.write(list, Ids.write(tests).getBytes(StandardCharsets.UTF_8));
        // With a history of its own: the store keeps one plan for a run of the CI, and this is not that plan.
        Path history = getTemporaryDir().toPath().resolve("history");
        rasher(List.of("plan", "--shards", "1", "--tests", list.toString(), "--out", planOf(1).toString(), "--json",
                "--quiet", "--no-run"), history).orThrow();
        return true;
    }

    /** {@code --plan} and {@code --results} of the rounds that ran. */
    List<String> evidence() throws IOException {
        List<String> arguments = new ArrayList<>();
        for (int round = 1; Files.exists(planOf(round)); round++) {
            arguments.addAll(List.of("--plan", planOf(round).toString()));
        }
        arguments.addAll(results());
        return arguments;
    }

    Attempts attempts(int round) throws IOException {
        List<byte[]> files = new ArrayList<>();
        for (Path file : recorded(round)) {
            files.add(Files.readAllBytes(file));
        }
        return Rasher.open(Transport.AUTO).read(files);
    }

    /** The tests of this shard in the classes of the test task. */
    private Set<String> planned() throws IOException {
        Path plan = getPlan().get().getAsFile().toPath();
        Path classes = planOf(1).resolveSibling(TestRounds.attemptsName(1)).resolve(StartRound.CLASSES);
        if (!isPlanned() || !Files.exists(classes)) {
            return new TreeSet<>();
        }
        Set<String> known = new HashSet<>(Files.readAllLines(classes));
        String document = rasher(List.of("shard", getShard().get(), "--plan", plan.toString(), "--format", "json"))
                .orThrow().data();
        // Groups tell the module where two have a class of one name.
        String module = getModule().get() + ':';
        Inventory inventory = Inventory.read(document);
        Set<String> tests = new TreeSet<>();
        for (int at = 0; at < inventory.size(); at++) {
            String group = inventory.group(at);
            String name = group == null ? Ids.outermostClass(inventory.test(at)) : within(module, group);
            if (known.contains(ShardPlan.outermost(name))) {
                tests.add(within(module, inventory.test(at)));
            }
        }
        return tests;
    }

    private static String within(String module, String name) {
        return name.startsWith(module) ? name.substring(module.length()) : name;
    }

    private boolean isPlanned() {
        return getShard().isPresent() && Files.exists(getPlan().get().getAsFile().toPath());
    }

    private Set<String> ran() throws IOException {
        if (!isPlanned()) {
            refuseBrokenOff();
        }
        Attempts attempts = attempts(1);
        Set<String> tests = new TreeSet<>();
        for (int at = 0; at < attempts.size(); at++) {
            tests.add(attempts.test(at));
        }
        return tests;
    }
}
