package dev.rasher.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real Maven, two modules, three frameworks: from the first run to a proved and judged one. */
class MavenPluginIT {
    private static final String IGNORE = "-Dmaven.test.failure.ignore=true";

    @TempDir
    Path folder;

    @Test
    void fromTheFirstRunToAGreenRetry() throws Exception {
        MavenBuild build = new MavenBuild(folder, Path.of("src/it/project"));
        assertEquals(0, build.run("rasher:plan", "test", IGNORE), build::log);
        Map<String, List<String>> everything = build.recorded(1);
        namesEqualThoseOfTheReports(build.reported(), everything);
        assertEquals(0, build.run("rasher:collect"), build::log);

        Map<String, List<String>> union = new TreeMap<>();
        Path gathered = Files.createDirectory(folder.resolve("gathered"));
        for (String shard : List.of("1/2", "2/2")) {
            if (shard.equals("2/2")) {
                // Written after the plan was made.
                Files.writeString(build.folder().resolve("b/src/test/java/demo/NewTest.java"),
                        "package demo; class NewTest { @org.junit.jupiter.api.Test void fresh() {} }");
            }
            clear(build);
            assertEquals(0, build.run("rasher:plan", "test", IGNORE, "-Drasher.shard=" + shard), build::log);
            build.recorded(1).forEach((test, outcomes) ->
                    union.computeIfAbsent(test, name -> new ArrayList<>()).addAll(outcomes));
            keep(build, gathered, shard.substring(0, 1));
        }
        assertTrue(Files.exists(build.folder().resolve("target/rasher/plan.json")));
        Set<String> shared = new TreeSet<>(union.keySet());
        shared.remove("b:demo.NewTest#fresh");
        assertEquals(everything.keySet(), shared);
        for (String test : shared) {
            assertEquals(everything.get(test).size(), union.get(test).size(), test);
        }
    }

    /** Every row of the reports is recorded under the same name with the same outcome. */
    private static void namesEqualThoseOfTheReports(
            Map<String, List<String>> reported, Map<String, List<String>> recorded) {
        assertTrue(reported.size() > 30, reported::toString);
        for (Map.Entry<String, List<String>> row : reported.entrySet()) {
            List<String> outcomes = new ArrayList<>(recorded.getOrDefault(row.getKey(), List.of()));
            outcomes.replaceAll(word -> word.equals("failed") ? "failure" : word.equals("errored") ? "error" : word);
            assertEquals(row.getValue(), outcomes, row.getKey());
        }
        Set<String> more = new TreeSet<>(recorded.keySet());
        more.removeAll(reported.keySet());
        // What a failed set-up kept from running is told by the recording alone.
        assertEquals(Set.of("a:demo.BeforeFailsTest#one"), more);
        assertEquals(List.of("set_up_failed"), recorded.get("a:demo.BeforeFailsTest#one"));
    }

    /** One module after another, two forks in one of them, and a class of the same name in both. */
    @Test
    void aReactorIsRetriedAndJudgedAsOne() throws Exception {
        MavenBuild build = new MavenBuild(folder, Path.of("src/it/project"));
        Path mended = folder.resolve("mended");
        String fate = "-Dmended=" + mended;
        assertEquals(0, build.run("rasher:plan", "test", IGNORE, fate), build::log);
        assertEquals(1, build.run("rasher:verdict"), build::log);
        Files.createFile(mended);
        assertEquals(0, build.run("rasher:retry", "test", fate), build::log);
        assertEquals(Set.of("a:demo.BeforeFailsTest#one", "a:demo.ClassParamTest#odd()[1]",
                "a:demo.ClassParamTest#odd()[2]", "a:demo.PlainTest#flaky", "a:demo.PlainTest#sized(int)[1]",
                "a:demo.PlainTest#sized(int)[2]"), build.recorded(2).keySet(), build::log);
        assertEquals(0, build.run("rasher:collect", "rasher:verify", "rasher:verdict"), build::log);
        assertTrue(build.log().contains("4 flaky") || build.log().contains("4 suspect"), build::log);
    }

    private static void clear(MavenBuild build) throws Exception {
        keep(build, Files.createTempDirectory(build.folder(), "old"), "x");
    }

    /** Moves what was recorded out of the way. */
    private static void keep(MavenBuild build, Path to, String name) throws Exception {
        for (String module : List.of("a", "b")) {
            Path records = build.folder().resolve(module + "/target/rasher/attempts-1");
            if (Files.isDirectory(records)) {
                Files.move(records, to.resolve(module + "-" + name));
            }
        }
    }
}
