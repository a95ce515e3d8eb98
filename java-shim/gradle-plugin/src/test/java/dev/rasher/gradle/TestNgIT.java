package dev.rasher.gradle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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

/** TestNG as Gradle runs it by itself, {@code useTestNG()}: selected, recorded, retried, judged. */
class TestNgIT {
    /** One project for both build tools. */
    private static final Path TESTS = Path.of("../maven-plugin/src/it/testng/src/test/java/ng");

    private static final Pattern FAILED = Pattern.compile("^ *failed +[0-9.]+ +(\\S.*?) {2,}", Pattern.MULTILINE);
    private static final Pattern CASE = Pattern.compile("<testcase name=\"([^\"]*)\" classname=\"([^\"]*)\"");

    @TempDir
    Path folder;

    private Path fate;
    private GradleBuild build;

    @BeforeEach
    void layOut() throws IOException {
        fate = Files.createDirectory(folder.resolve("fate"));
        build = GradleBuild.of(folder);
        build.write("build.gradle", "plugins { id 'java'; id 'dev.rasher' }\nrepositories { mavenCentral() }\n"
                + "dependencies { testImplementation 'org.testng:testng:7.12.0' }\n"
                + "test { useTestNG() }\ntasks.withType(Test) { systemProperty 'fate', '" + fate + "' }\n");
        try (Stream<Path> files = Files.list(TESTS)) {
            for (Path file : files.collect(Collectors.toList())) {
                build.write("src/test/java/ng/" + file.getFileName(), Files.readString(file));
            }
        }
    }

    /** The tests of Gradle's own report. */
    private Map<String, Integer> reported() throws IOException {
        Map<String, Integer> found = new TreeMap<>();
        try (Stream<Path> files = Files.list(folder.resolve("build/test-results/test"))) {
            for (Path file : files.filter(it -> it.toString().endsWith(".xml")).collect(Collectors.toList())) {
                for (Matcher row = CASE.matcher(Files.readString(file)); row.find(); ) {
                    found.merge(row.group(2) + '#' + row.group(1), 1, Integer::sum);
                }
            }
        }
        return found;
    }

    @Test
    void everyTestRunsOnExactlyOneShardAndIsNamedAsInTheReport() throws Exception {
        String log = build.pass("test", "rasherCollect");
        Map<String, Integer> everything = build.began(1);
        assertFalse(everything.isEmpty(), log);
        assertEquals(reported(), everything, log);
        Map<String, Integer> union = new TreeMap<>();
        for (String shard : List.of("1/2", "2/2")) {
            build.pass("test", "-Prasher.shard=" + shard);
            assertTrue(build.began(1).size() < everything.size(), shard);
            build.began(1).forEach((test, count) -> union.merge(test, count, Integer::sum));
        }
        assertEquals(everything, union);
    }

    @Test
    void whatIsFlakyRunsAgainAndPasses() throws Exception {
        Files.createFile(fate.resolve("flaky"));
        String log = build.pass("test", "-Prasher.maxRetries=1");
        Map<String, Integer> again = new TreeMap<>();
        for (String test : List.of("ChainTest#base", "ChainTest#last", "DataTest#sized[0](1, a(b))",
                "DataTest#sized[1](2, c [d], {e})", "DataTest#sized[2](3, null)", "SetUpTest#sized[0](1)",
                "SetUpTest#sized[1](2)", "SourceTest#makes", "UserTest#usesGroup", "UserTest#usesMethod")) {
            again.put("ng." + test, 1);
        }
        assertEquals(again, build.began(2), log);
    }

    @Test
    void whatIsBrokenIsNeverGreenBesideWhatPasses() throws Exception {
        Files.createFile(fate.resolve("broken"));
        String log = build.fail("test", "-Prasher.maxRetries=1");
        Set<String> failed = new TreeSet<>();
        Matcher row = FAILED.matcher(log.substring(log.indexOf("rasher: FAILED")));
        while (row.find()) {
            failed.add(row.group(1));
        }
        assertEquals(new TreeSet<>(List.of("ng.DataTest#sized[0](1, a(b))", "ng.MadeTest#small", "ng.SourceTest#makes",
                "ng.UserTest#usesGroup")), failed, log);
    }
}
