package dev.rasher.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** TestNG under Surefire's own provider for it, without the JUnit Platform: selected, recorded, retried, judged. */
class TestNgIT {
    private static final String IGNORE = "-Dmaven.test.failure.ignore=true";
    private static final Pattern FAILED =
            Pattern.compile("^\\[INFO\\] rasher: failed +[0-9.]+ +(\\S.*?) {2,}", Pattern.MULTILINE);

    @TempDir
    Path folder;

    private Path fate;
    private MavenBuild build;

    @BeforeEach
    void layOut() throws IOException {
        fate = Files.createDirectory(folder.resolve("fate"));
        build = new MavenBuild(folder, Path.of("src/it/testng"), ".");
    }

    private void run(int exitCode, String... arguments) throws Exception {
        List<String> all = Stream.concat(Stream.of(arguments), Stream.of("-Dfate=" + fate)).collect(Collectors.toList());
        assertEquals(exitCode, build.run(all.toArray(new String[0])), build::log);
    }

    @Test
    void everyTestRunsOnExactlyOneShardAndIsNamedAsInTheReport() throws Exception {
        for (String version : List.of("-Dtestng.version=6.14.3", "-Dtestng.version=7.12.0")) {
            run(0, "rasher:plan", "test", version);
            assertFalse(build.recorded(1).isEmpty(), build::log);
            assertEquals(build.reported(), build.recorded(1), build::log);
        }
        Map<String, List<String>> everything = build.recorded(1);
        run(0, "rasher:collect");
        Map<String, List<String>> union = new TreeMap<>();
        // What runs only for the sake of others is planned, and told, elsewhere; also where the goal is bound to a phase.
        run(0, "test", "-Pbound", "-Drasher.shard=1/2");
        run(0, "rasher:plan", "test", "-Drasher.shard=2/2");
        build.recorded(1).forEach((test, outcomes) -> union.put(test, new ArrayList<>(outcomes)));
        assertEquals(everything, union);
        run(0, "rasher:verify", "rasher:verdict");
    }

    @Test
    void whatIsFlakyRunsAgainAndPasses() throws Exception {
        Files.createFile(fate.resolve("flaky"));
        run(0, "rasher:plan", "test", IGNORE);
        run(1, "rasher:verdict");
        run(0, "rasher:retry", "test");
        Map<String, Integer> again = new TreeMap<>();
        // What depends on each other comes whole; the rows of a method come with their siblings.
        for (String test : List.of("ChainTest#base", "ChainTest#last",
                "DataTest#sized[1, a(b)](1)", "DataTest#sized[2, c [d], {e}](2)", "DataTest#sized[3, null](3)",
                "SetUpTest#sized[1](1)", "SetUpTest#sized[2](2)", "SourceTest#makes",
                "UserTest#usesGroup", "UserTest#usesMethod")) {
            again.put("ng." + test, 1);
        }
        assertEquals(again, build.began(2), build::log);
        run(0, "rasher:verify", "rasher:verdict");
    }

    @Test
    void whatIsBrokenIsNeverGreenBesideWhatPasses() throws Exception {
        Files.createFile(fate.resolve("broken"));
        run(0, "rasher:plan", "test", IGNORE);
        run(0, "rasher:retry", "test", IGNORE);
        run(1, "rasher:verdict");
        TreeSet<String> failed = new TreeSet<>();
        Matcher row = FAILED.matcher(build.log());
        while (row.find()) {
            failed.add(row.group(1));
        }
        assertEquals(new TreeSet<>(List.of("ng.DataTest#sized[1, a(b)](1)", "ng.MadeTest#small", "ng.SourceTest#makes",
                "ng.UserTest#usesGroup")), failed, build::log);
    }

    @Test
    void whatAKilledJvmHadStillToRunIsOutstanding() throws Exception {
        run(0, "rasher:plan", "test");
        Map<String, Integer> everything = build.began(1);
        run(0, "rasher:collect");
        Files.createFile(fate.resolve("deadly"));
        run(1, "rasher:plan", "test", "-Drasher.shard=1/1", IGNORE);
        run(1, "rasher:verify");
        run(0, "rasher:retry", "test", "-Drasher.shard=1/1");
        Map<String, Integer> union = build.began(1);
        union.putAll(build.began(2));
        assertEquals(everything, union);
        run(0, "rasher:verify", "rasher:verdict", "-Drasher.shard=1/1");
    }
}
