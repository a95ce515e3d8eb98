package dev.rasher.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What failed runs again and nothing else does, for every kind of test that a retry has been seen to get wrong. */
class RetryIT {
    private static final String IGNORE = "-Dmaven.test.failure.ignore=true";
    private static final Pattern FAILED =
            Pattern.compile("^\\[INFO\\] rasher: failed +[0-9.]+ +(\\S.*?) {2,}", Pattern.MULTILINE);

    private static final Set<String> BROKEN = Stream.of("BrokenClassTest#odd()[1]", "BrokenProviderTest#numbered(int)",
            "BrokenSetUpTest#one", "BrokenSetUpTest#two", "DynamicNodesTest#broken()[2][1]", "InheritedATest#broken",
            "NestedTest$Broken#deep", "NgBrokenTest#sized(int)[0]", "ParametersTest#text(String)[1]",
            "SameNamesTest#broken(int)[2]", "Suited#broken", "TearDownTest#one", "VintageBrokenTest", "VintageTest#u[P2]")
            .map(test -> "kinds." + test).collect(Collectors.toCollection(TreeSet::new));

    @TempDir
    Path folder;

    private Path fate;
    private MavenBuild build;

    @BeforeEach
    void layOut() throws IOException {
        fate = Files.createDirectory(folder.resolve("fate"));
        build = new MavenBuild(folder, Path.of("src/it/kinds"));
    }

    private void run(int exitCode, String... arguments) throws Exception {
        run(Map.of(), exitCode, arguments);
    }

    private void run(Map<String, String> more, int exitCode, String... arguments) throws Exception {
        List<String> all = Stream.concat(Stream.of(arguments), Stream.of("-Dfate=" + fate)).collect(Collectors.toList());
        assertEquals(exitCode, build.run(more, all.toArray(new String[0])), build::log);
    }

    @Test
    void whatIsFlakyRunsAgainAndPasses() throws Exception {
        Files.createFile(fate.resolve("flaky"));
        run(0, "rasher:plan", "test", IGNORE);
        run(1, "rasher:verdict");
        run(0, "rasher:retry", "test");
        Map<String, Integer> again = new TreeMap<>();
        // Invocations of a method come with their siblings; an ordered class comes whole.
        for (String test : List.of("DynamicNodesTest#flaky()[1]", "DynamicNodesTest#flaky()[2]",
                "FlakyClassTest#even()[1]", "FlakyClassTest#even()[2]", "FlakyProviderTest#numbered(int)[1]",
                "FlakyProviderTest#numbered(int)[2]", "FlakySetUpTest#one", "FlakySetUpTest#two",
                "NestedTest$Flaky#deep", "NgFlakyTest#base", "NgFlakyTest#dependent", "OrderedTest#prepare",
                "OrderedTest#use", "ParametersTest#again(RepetitionInfo)[1]", "ParametersTest#again(RepetitionInfo)[2]",
                "ParametersTest#sized(int)[1]", "ParametersTest#sized(int)[2]", "VintageTest#t[P1]",
                "VintageTest#t[P2]")) {
            again.put("kinds." + test, 1);
        }
        assertEquals(again, build.began(2), build::log);
        run(0, "rasher:verify", "rasher:verdict");

        // A new first round forgets the old rounds: a green one of yesterday must not speak for today.
        forget();
        run(0, "rasher:plan", "test", IGNORE);
        run(1, "rasher:verdict");
        assertEquals(Map.of(), build.began(2), build::log);
    }

    /** Tests that share a name, or whose failure stands elsewhere than in a test of their own. */
    @Test
    void whatIsHardToTellApartRunsAgainAndPasses() throws Exception {
        Files.createFile(fate.resolve("shaky"));
        run(0, "rasher:plan", "test", IGNORE);
        run(1, "rasher:verdict");
        run(0, "rasher:retry", "test");
        Map<String, Integer> again = new TreeMap<>();
        for (String test : List.of("InheritedATest#flaky", "SameNamesTest#flaky(int)[1]", "SameNamesTest#flaky(int)[2]",
                "SameNamesTest#told()[1]", "SameNamesTest#told()[2]", "Suited#flaky", "TearDownTest#one",
                "VintageSetUpTest#one")) {
            again.put("kinds." + test, 1);
        }
        assertEquals(again, build.began(2), build::log);
        run(0, "rasher:verify", "rasher:verdict");
    }

    /** A suite holds tests that the plan knows by other classes, and fails where none of them is left. */
    @Test
    void everyTestRunsOnExactlyOneShard() throws Exception {
        run(0, "rasher:plan", "test");
        Map<String, Integer> everything = build.began(1);
        assertEquals(1, everything.get("kinds.Suited#fine"));
        run(0, "rasher:collect");
        Map<String, Integer> union = new TreeMap<>();
        for (String shard : List.of("1/2", "2/2")) {
            run(0, "rasher:plan", "test", "-Drasher.shard=" + shard);
            build.began(1).forEach((test, count) -> union.put(test, count));
        }
        assertEquals(everything, union);
        run(0, "rasher:verify", "rasher:verdict");
    }

    @Test
    void whatIsBrokenIsNeverGreenBesideWhatPasses() throws Exception {
        Files.createFile(fate.resolve("broken"));
        run(0, "rasher:plan", "test", IGNORE);
        run(0, "rasher:retry", "test", IGNORE);
        run(1, "rasher:verdict");
        assertEquals(BROKEN, failed(), build::log);
    }

    /** The tests that the verdict blames. */
    private Set<String> failed() {
        Set<String> failed = new TreeSet<>();
        Matcher row = FAILED.matcher(build.log());
        while (row.find()) {
            failed.add(row.group(1));
        }
        return failed;
    }

    /** Where Surefire itself runs failures again, its passes count, and hide nothing. */
    @Test
    void whatSurefireRunsAgainIsNoFalseGreen() throws Exception {
        Files.createFile(fate.resolve("shaky"));
        Files.createFile(fate.resolve("broken"));
        run(0, "rasher:plan", "test", IGNORE, "-Dsurefire.rerunFailingTestsCount=1");
        run(0, "rasher:verify");
        run(1, "rasher:verdict");
        assertEquals(BROKEN, failed(), build::log);
    }

    @Test
    void whatAKilledJvmHadStillToRunIsOutstanding() throws Exception {
        run(0, "rasher:plan", "test");
        Map<String, Integer> everything = build.began(1);
        run(0, "rasher:collect");
        Files.createFile(fate.resolve("deadly"));
        // Surefire itself fails a build whose fork dies; what it had recorded stands.
        // In a later attempt of a CI's run, where the plan of the run is kept, and must not be taken for that of a retry.
        Map<String, String> ci = Map.of("GITHUB_ACTIONS", "true", "GITHUB_RUN_ID", "7", "GITHUB_RUN_ATTEMPT", "2");
        run(ci, 1, "rasher:plan", "test", "-Drasher.shard=1/1", IGNORE);
        run(ci, 1, "rasher:verify");
        run(ci, 0, "rasher:retry", "test", "-Drasher.shard=1/1");
        Map<String, Integer> first = build.began(1);
        Map<String, Integer> second = build.began(2);
        Set<String> both = new TreeSet<>(first.keySet());
        both.retainAll(second.keySet());
        // An ordered class runs whole: what was over before the kill runs again only there.
        assertEquals(Set.of("kinds.DeadlyTest#before", "kinds.DeadlyTest#deadly"), both);
        Map<String, Integer> union = new TreeMap<>(first);
        union.putAll(second);
        assertEquals(everything, union);
        run(0, "rasher:verify", "rasher:verdict", "-Drasher.shard=1/1");

        // Without a plan nobody knows what is missing, and that is said.
        Files.delete(build.folder().resolve("target/rasher/plan.json"));
        forget();
        run(1, "rasher:plan", "test", IGNORE);
        run(1, "rasher:retry", "test");
        assertTrue(build.log().contains("a test JVM died before its tests were over"), build::log);
    }

    /** Lets no flaky test have failed before. */
    private void forget() throws IOException {
        try (Stream<Path> files = Files.list(fate)) {
            for (Path file : files.collect(Collectors.toList())) {
                if (file.toString().endsWith(".seen")) {
                    Files.delete(file);
                }
            }
        }
    }
}
