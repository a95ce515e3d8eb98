package dev.rasher;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The verbs in process, held to the command with an empty store: byte for byte, by either transport. */
class VerbsTest {
    private static final int TESTS = 40;

    @TempDir
    Path folder;

    private final List<Rasher> ways = List.of(Rasher.open(Transport.JNI), Rasher.open(Transport.PROCESS));
    private final byte[] plan = plan();

    private static byte[] plan() {
        Workload workload = new Workload();
        for (int at = 0; at < TESTS; at++) {
            String group = "demo.C" + at / 8;
            workload.add(group + "#t" + at, group, 100_000 + 7_000 * at).setUp(group, 50_000);
        }
        return Rasher.open(Transport.JNI).planDocument(workload, 3, "default");
    }

    /** A report of the tests, without those of one class and with the failures of some. */
    private static byte[] report(int without, Set<Integer> failed) {
        StringBuilder xml = new StringBuilder("<testsuite name=\"demo\" time=\"9\">");
        for (int at = 0; at < TESTS; at++) {
            if (at / 8 != without) {
                xml.append("<testcase classname=\"demo.C").append(at / 8).append("\" name=\"t").append(at)
                        .append("\" time=\"0.1\">").append(failed.contains(at) ? "<failure message=\"no\"/>" : "")
                        .append("</testcase>");
            }
        }
        return xml.append("</testsuite>").toString().getBytes(StandardCharsets.UTF_8);
    }

    /** What the command says of the same files, with a store that is empty. */
    private Answer command(String... arguments) {
        List<String> line = new ArrayList<>(List.of(arguments));
        line.addAll(List.of("--json", "--store", folder.resolve("store").toString()));
        return Rasher.run(folder, line);
    }

    private static void assertSame(Answer command, Document document) {
        assertEquals(command.data(), new String(document.json(), StandardCharsets.UTF_8), command.words());
        assertEquals(command.exitCode(), document.exitCode());
    }

    private void write() throws IOException {
        Files.write(folder.resolve("plan.json"), plan);
        Files.write(folder.resolve("one.xml"), report(2, Set.of(3, 9)));
        Files.write(folder.resolve("two.xml"), report(9, Set.of(3)));
        Files.write(folder.resolve("base.xml"), report(9, Set.of(9)));
    }

    private Results one() {
        return new Results().plan(plan).report(report(2, Set.of(3, 9)));
    }

    private Results both() {
        return one().report(2, report(9, Set.of(3)));
    }

    @Test
    void verifyIsTheCommands() throws IOException {
        write();
        for (Rasher way : ways) {
            assertSame(command("verify", "--plan", "plan.json", "--results", "one.xml"), way.verify(one()));
            assertSame(command("verify", "--plan", "plan.json", "--results", "one.xml", "--results", "2=two.xml"),
                    way.verify(both()));
            assertThrows(RasherException.IncompleteException.class, () -> way.verify(one()).orThrow());
            Results torn = one().report(new byte[] {1, 2});
            assertEquals(1, way.verify(torn).problems().size());
        }
    }

    @Test
    void verdictIsTheCommands() throws IOException {
        write();
        for (Rasher way : ways) {
            assertSame(command("verdict", "--plan", "plan.json", "--results", "one.xml"), way.verdict(one()));
            assertSame(command("verdict", "--plan", "plan.json", "--results", "one.xml", "--results", "2=two.xml",
                    "--base-results", "base.xml", "--p-real-max", "0.9"),
                    way.verdict(both().base(report(9, Set.of(9))).option("p_real_max", 0.9)));
            assertThrows(RasherException.BlockedException.class, () -> way.verdict(both()).orThrow());
        }
    }

    @Test
    void retryIsTheCommands() throws IOException {
        write();
        for (Rasher way : ways) {
            String[] asked = {"retry", "--plan", "plan.json", "--results", "one.xml"};
            assertSame(command(asked), way.retry(one()));
            assertSame(command("retry", "--plan", "plan.json", "--results", "one.xml", "--mode", "replay"),
                    way.retry(one().option("mode", "replay")));
            assertSame(command("retry", "--plan", "plan.json", "--results", "one.xml", "--shards", "2", "--max-tests", "5"),
                    way.retry(one().option("shards", 2).option("max_tests", 5)));
            assertSame(command("retry", "--plan", "plan.json", "--results", "one.xml", "--deadline", "2s"),
                    way.retry(one().option("deadline", "2s")));
            // What is planned to run again is a plan: it takes results of its own.
            byte[] again = way.retry(one()).json();
            Files.write(folder.resolve("again.json"), again);
            Files.write(folder.resolve("three.xml"), report(9, Set.of()));
            Results settled = one().plan(again).report(2, report(9, Set.of()));
            Document verdict = way.verdict(settled);
            assertSame(command("verdict", "--plan", "plan.json", "--plan", "again.json", "--results", "one.xml",
                    "--results", "2=three.xml"), verdict);
            assertEquals(0, way.verify(settled).exitCode());
            assertTrue(verdict.exitCode() < 2, "nothing is missing any more");
        }
    }

    /** What a store knows of earlier runs can be handed over instead. */
    @Test
    void whatIsNeededAndWhatIsKnownIsHeededAsByTheCommand() throws IOException {
        write();
        Files.writeString(folder.resolve("needs.txt"), "demo.C0#t3\tdemo.C4#t33\ndemo.C1#t9\tdemo.C3#t30\n");
        List<byte[]> earlier = new ArrayList<>();
        for (int run = 0; run < 6; run++) {
            earlier.add(report(run % 2 == 0 ? 4 : 9, run % 3 == 0 ? Set.of(3) : Set.of()));
            Files.write(folder.resolve("earlier.xml"), earlier.get(run));
            assertEquals(0, command("record", "earlier.xml", "--run", "e" + run, "--branch", run == 1 ? "fix" : "main",
                    "--at", "2026-01-0" + (run + 1) + "T08:00:00Z").exitCode());
        }
        for (Rasher way : ways) {
            assertSame(command("retry", "--plan", "plan.json", "--results", "one.xml", "--needs", "needs.txt",
                    "--whole", "demo.C1"), way.retry(known(one(), earlier).needs("demo.C0#t3", "demo.C4#t33")
                            .needs("demo.C1#t9", "demo.C3#t30").whole("demo.C1")));
            Document plain = way.retry(known(one(), earlier));
            assertSame(command("retry", "--plan", "plan.json", "--results", "one.xml"), plain);
            assertNotEquals(new String(way.retry(one()).json(), StandardCharsets.UTF_8),
                    new String(plain.json(), StandardCharsets.UTF_8), "the past says nothing");
            assertSame(command("verdict", "--plan", "plan.json", "--results", "one.xml", "--results", "2=two.xml"),
                    way.verdict(known(both(), earlier)));
            assertThrows(RasherException.UsageException.class, () -> way.retry(
                    one().history("x", null, Instant.EPOCH, List.of(new byte[] {1}))));
            assertThrows(RasherException.UsageException.class, () -> way.verify(one().whole("demo.C1")));
        }
    }

    private static Results known(Results results, List<byte[]> earlier) {
        for (int run = 0; run < earlier.size(); run++) {
            results.history("e" + run, run == 1 ? "fix" : "main", Instant.parse("2026-01-0" + (run + 1) + "T08:00:00Z"),
                    List.of(earlier.get(run)));
        }
        return results;
    }

    @Test
    void theShardsOfAPlanAreItsTests() throws IOException {
        write();
        for (Rasher way : ways) {
            Set<String> all = new TreeSet<>();
            for (int index = 1; index <= 3; index++) {
                List<String> tests = way.shard(plan, index, 3);
                Answer lines = Rasher.run(folder, List.of("shard", index + "/3", "--plan", "plan.json"));
                assertEquals(lines.data(), String.join("\n", tests) + "\n");
                all.addAll(tests);
            }
            assertEquals(TESTS, all.size());
            assertThrows(RasherException.UsageException.class, () -> way.shard(plan, 1, 4));
            assertThrows(RasherException.UsageException.class, () -> way.shard(new byte[] {'{'}, 1, 3));
        }
    }

    @Test
    void wrongRunsAreRefusedWithWhatIsWrong() {
        byte[] edited = new String(plan, StandardCharsets.UTF_8).replace("demo.C0#t1\"", "demo.C0#x1\"")
                .getBytes(StandardCharsets.UTF_8);
        for (Rasher way : ways) {
            for (Results wrong : List.of(new Results(), new Results().plan(edited), one().option("no_such", true),
                    one().option("shards", 0), one().report(0, report(9, Set.of())), one().option("deadline", "soon"))) {
                RasherException thrown =
                        assertThrows(RasherException.UsageException.class, () -> way.retry(wrong).json());
                assertTrue(thrown.getMessage().length() > 10, thrown.getMessage());
            }
            assertThrows(RasherException.StoreException.class,
                    () -> way.verify(new Results().plan(plan).report(new byte[] {1})));
        }
        assertArrayEquals(ways.get(0).verify(both()).json(), ways.get(1).verify(both()).json());
    }
}
