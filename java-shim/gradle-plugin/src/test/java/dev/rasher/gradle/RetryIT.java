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

/** What failed runs again and nothing else does, for every kind of test that a retry has been seen to get wrong. */
class RetryIT {
    /** One project for both build tools. */
    private static final Path KINDS = Path.of("../maven-plugin/src/it/kinds/src/test/java/kinds");

    private static final Pattern FAILED = Pattern.compile("^ *failed +[0-9.]+ +(\\S.*?) {2,}", Pattern.MULTILINE);

    @TempDir
    Path folder;

    private Path fate;
    private GradleBuild build;

    @BeforeEach
    void layOut() throws IOException {
        fate = Files.createDirectory(folder.resolve("fate"));
        build = GradleBuild.of(folder);
        build.write("build.gradle", GradleBuild.JAVA
                + "dependencies { testImplementation 'junit:junit:4.13.2'; testImplementation 'org.testng:testng:7.12.0'\n"
                + "  testImplementation 'org.junit.platform:junit-platform-suite:1.14.4'\n"
                + "  testRuntimeOnly 'org.junit.support:testng-engine:1.1.0'\n"
                + "  testRuntimeOnly 'org.junit.vintage:junit-vintage-engine:5.14.4' }\n"
                // Runs in a suite; Gradle would also run it by itself.
                + "tasks.withType(Test) { systemProperty 'fate', '" + fate + "'; exclude '**/Suited.class' }\n");
        try (Stream<Path> files = Files.list(KINDS)) {
            for (Path file : files.collect(Collectors.toList())) {
                build.write("src/test/java/kinds/" + file.getFileName(), Files.readString(file));
            }
        }
    }

    @Test
    void whatIsFlakyRunsAgainAndPasses() throws Exception {
        Files.createFile(fate.resolve("flaky"));
        String log = build.pass("test", "-Prasher.maxRetries=1");
        Map<String, Integer> again = new TreeMap<>();
        // Invocations of a method come with their siblings; an ordered class comes whole.
        // So does one that failed outside its tests: which of them never came to be, its name does not tell.
        for (String test : List.of("DynamicNodesTest#first", "DynamicNodesTest#second", "FlakyProviderTest#beside()",
                "FlakyProviderTest#[1] 1", "FlakyProviderTest#[2] 2", "FlakySetUpTest#one()", "FlakySetUpTest#two()",
                "NestedTest$Flaky#deep()", "NgFlakyTest#base", "NgFlakyTest#dependent", "OrderedTest#prepare()",
                "OrderedTest#use()", "ParametersTest#[1] 1", "ParametersTest#[2] 2", "ParametersTest#repetition 1 of 2",
                "ParametersTest#repetition 2 of 2", "VintageTest#t[P1]", "VintageTest#t[P2]")) {
            again.put("kinds." + test, 1);
        }
        again.put("kinds.FlakyClassTest#even()", 2);
        assertEquals(again, build.began(2), log);
        assertTrue(log.contains("passed after retry: kinds.DynamicNodesTest#second, "), log);

        // The same again, where a retry that helps is not enough.
        remember(false);
        String strict = build.fail("test", "-Prasher.maxRetries=1", "-Prasher.failOnPassedAfterRetry=true");
        assertTrue(strict.contains("passed only after a retry, and failOnPassedAfterRetry is set"), strict);
        assertEquals(again, build.began(2), strict);

        // And where so many failures are no accident.
        remember(false);
        String many = build.fail("test", "-Prasher.maxRetries=1", "-Prasher.maxFailures=3");
        assertTrue(many.contains("more than maxFailures = 3: nothing is retried"), many);
        assertEquals(Map.of(), build.began(2), many);

        // A failure that was let pass is no result to be kept: all of it runs again, and nothing fails now.
        remember(true);
        build.pass("test", "-Prasher.maxRetries=1", "-Prasher.maxFailures=3");
        assertEquals(Map.of(), build.began(2));
        assertTrue(build.pass("test", "-Prasher.maxRetries=1", "-Prasher.maxFailures=3")
                .contains("Task :test UP-TO-DATE"));
    }

    /** Tests that share a name, or whose failure stands elsewhere than in a test of their own. */
    @Test
    void whatIsHardToTellApartRunsAgainAndPasses() throws Exception {
        Files.createFile(fate.resolve("shaky"));
        String log = build.pass("test", "-Prasher.maxRetries=1");
        Map<String, Integer> again = new TreeMap<>();
        for (String test : List.of("InheritedATest#flaky()", "SameNamesTest#told", "Suited#flaky()", "TearDownTest#one()",
                "VintageSetUpTest#one")) {
            again.put("kinds." + test, 1);
        }
        again.put("kinds.SameNamesTest#told", 2);
        again.put("kinds.SameNamesTest#alike", 2);
        assertEquals(again, build.began(2), log);
    }

    /** A suite holds tests that the plan knows by other classes, and fails where none of them is left. */
    @Test
    void everyTestRunsOnExactlyOneShard() throws Exception {
        String log = build.pass("test", "rasherCollect", "rasherVerify");
        assertTrue(log.contains("there is no plan"), log);
        Map<String, Integer> everything = build.began(1);
        assertEquals(1, everything.get("kinds.Suited#fine()"));
        Map<String, Integer> union = new TreeMap<>();
        for (String shard : List.of("1/2", "2/2")) {
            build.pass("test", "-Prasher.shard=" + shard);
            build.began(1).forEach((test, count) -> union.merge(test, count, Integer::sum));
        }
        assertEquals(everything, union);
    }

    @Test
    void whatIsBrokenIsNeverGreenBesideWhatPasses() throws Exception {
        Files.createFile(fate.resolve("broken"));
        String log = build.fail("test", "-Prasher.maxRetries=2");
        Set<String> failed = new TreeSet<>();
        Matcher row = FAILED.matcher(log.substring(log.indexOf("rasher: FAILED")));
        while (row.find()) {
            failed.add(row.group(1));
        }
        Set<String> expected = new TreeSet<>();
        for (String test : List.of("BrokenClassTest#odd()", "BrokenProviderTest#beside()", "BrokenSetUpTest#one()",
                "BrokenSetUpTest#two()", "DynamicNodesTest#fourth", "InheritedATest#broken()",
                "NestedTest$Broken#deep()", "NgBrokenTest#[0] 1", "ParametersTest#[1] a(b)", "SameNamesTest#same",
                "Suited#broken()", "TearDownTest#one()", "VintageBrokenTest",
                "VintageTest#u[P2]")) {
            expected.add("kinds." + test);
        }
        assertEquals(expected, failed, log);
        assertEquals(build.began(2), build.began(3), log);
    }

    @Test
    void whatAKilledJvmHadStillToRunIsOutstanding() throws Exception {
        build.pass("test", "rasherCollect");
        Map<String, Integer> everything = build.began(1);
        Files.createFile(fate.resolve("deadly"));
        // Gradle itself fails a build whose worker dies; the verdict is that of the tests.
        // In a later attempt of a CI's run, where the plan of the run is kept, and must not be taken for that of a retry.
        String log = build.run(Map.of("GITHUB_ACTIONS", "true", "GITHUB_RUN_ID", "7", "GITHUB_RUN_ATTEMPT", "2"), "test",
                "-Prasher.shard=1/1", "-Prasher.maxRetries=1");
        assertEquals(1, build.exitCode(), log);
        assertTrue(log.contains("finished with non-zero exit value 137"), log);
        assertTrue(log.contains("passed after retry: kinds.DeadlyTest#deadly()"), log);
        assertFalse(log.contains("Task :testVerdict FAILED"), log);
        Map<String, Integer> first = build.began(1);
        Map<String, Integer> second = build.began(2);
        Set<String> both = new TreeSet<>(first.keySet());
        both.retainAll(second.keySet());
        // An ordered class runs whole: what was over before the kill runs again only there.
        assertEquals(Set.of("kinds.DeadlyTest#before()", "kinds.DeadlyTest#deadly()"), both);
        Map<String, Integer> union = new TreeMap<>(first);
        union.putAll(second);
        assertEquals(everything, union);

        // Without a plan nobody knows what is missing, and that is said.
        remember(false);
        String unplanned = build.fail("test", "-Prasher.maxRetries=1");
        assertTrue(unplanned.contains("a test JVM died before its tests were over"), unplanned);
    }

    @Test
    void anotherRetryIsRefused() throws Exception {
        build.write("build.gradle", Files.readString(folder.resolve("build.gradle"))
                + "tasks.named('test') { extensions.add('retry', 'set') }\n");
        String log = build.fail("test", "-Prasher.maxRetries=1");
        assertTrue(log.contains("is also retried by another plugin"), log);
    }

    /** Failures are let pass until the verdict, so that tests which nobody records must stop the build. */
    @Test
    void whatCannotBeRecordedIsRefused() throws Exception {
        String script = Files.readString(folder.resolve("build.gradle"));
        build.write("build.gradle", script + "test { useJUnit() }\n");
        String foreign = build.fail("test", "-Prasher.maxRetries=1");
        assertTrue(foreign.contains("runs its tests by JUnit 4 itself"), foreign);
        build.write("build.gradle", script
                + "test { classpath = classpath.filter { !it.name.startsWith('rasher-harness') } }\n");
        String unheard = build.fail("test", "-Prasher.maxRetries=1");
        assertTrue(unheard.contains("ran tests and recorded none"), unheard);
    }

    /** Lets every flaky test have failed before, or none. */
    private void remember(boolean all) throws IOException {
        try (Stream<Path> files = Files.list(fate)) {
            for (Path file : files.collect(Collectors.toList())) {
                if (file.toString().endsWith(".seen")) {
                    Files.delete(file);
                }
            }
        }
        if (all) {
            Files.delete(fate.resolve("flaky"));
        }
    }
}
