package dev.rasher.gradle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** JUnit 6, Spock and Kotest under Gradle: named as in its reports, each on one shard. */
class FrameworksIT {
    private static final Map<String, List<String>> NEEDED = new TreeMap<>(Map.of(
            "junit6", List.of("org.junit.jupiter:junit-jupiter:6.1.3", "org.junit.platform:junit-platform-launcher:6.1.3"),
            "spock", List.of("org.spockframework:spock-core:2.4-groovy-4.0",
                    "org.junit.platform:junit-platform-launcher:1.14.4"),
            "kotest", List.of("io.kotest:kotest-runner-junit5-jvm:6.2.4",
                    "org.junit.platform:junit-platform-launcher:1.14.4")));
    private static final Pattern CASE = Pattern.compile("<testcase name=\"([^\"]*)\" classname=\"([^\"]*)\"");

    @TempDir
    Path folder;

    private GradleBuild build;

    /** Groovy and Kotlin are compiled by the Maven project of the same tests. */
    private void layOut() throws Exception {
        build = GradleBuild.of(folder.resolve("gradle"), NEEDED.keySet().toArray(new String[0]));
        Path sources = folder.resolve("sources");
        GradleBuild.copy(Path.of("../maven-plugin/src/it/frameworks"), sources);
        Path log = folder.resolve("maven.txt");
        Process maven = new ProcessBuilder(Path.of(System.getProperty("maven.home"), "bin", "mvn").toString(), "-B", "-q",
                "test-compile", "-pl", String.join(",", NEEDED.keySet())).directory(sources.toFile())
                .redirectErrorStream(true).redirectOutput(log.toFile()).start();
        assertTrue(maven.waitFor(8, TimeUnit.MINUTES), "Maven does not end");
        assertEquals(0, maven.exitValue(), Files.readString(log));
        build.write("build.gradle", "plugins { id 'java'; id 'dev.rasher' }\n");
        for (Map.Entry<String, List<String>> project : NEEDED.entrySet()) {
            StringBuilder script = new StringBuilder(
                    "plugins { id 'java'; id 'dev.rasher' }\nrepositories { mavenCentral() }\ndependencies {\n");
            project.getValue().forEach(it -> script.append("  testRuntimeOnly '").append(it).append("'\n"));
            String compiled = "files('" + sources.resolve(project.getKey()).resolve("target/test-classes") + "')";
            script.append("}\ntest {\n  useJUnitPlatform()\n  testClassesDirs = ").append(compiled)
                    .append("\n  classpath = ").append(compiled).append(" + sourceSets.test.runtimeClasspath\n}\n");
            build.write(project.getKey() + "/build.gradle", script.toString());
        }
    }

    /** How often each test stands in Gradle's own reports. */
    private Map<String, Integer> reported() throws IOException {
        Map<String, Integer> found = new TreeMap<>();
        for (String project : NEEDED.keySet()) {
            try (Stream<Path> files = Files.list(build.folder().resolve(project).resolve("build/test-results/test"))) {
                for (Path file : files.filter(it -> it.toString().endsWith(".xml")).collect(Collectors.toList())) {
                    for (Matcher row = CASE.matcher(Files.readString(file)); row.find(); ) {
                        found.merge(project + ':' + row.group(2) + '#' + row.group(1), 1, Integer::sum);
                    }
                }
            }
        }
        return found;
    }

    private Map<String, Integer> began() throws IOException {
        Map<String, Integer> found = new TreeMap<>();
        for (String project : NEEDED.keySet()) {
            build.began(project, 1).forEach((test, count) -> found.put(project + ':' + test, count));
        }
        return found;
    }

    @Test
    void everyFrameworkIsRecordedAndSharded() throws Exception {
        layOut();
        String log = build.pass("test", "rasherCollect");
        Map<String, Integer> everything = began();
        for (String project : NEEDED.keySet()) {
            assertTrue(everything.keySet().stream().anyMatch(test -> test.startsWith(project + ':')), project + '\n' + log);
        }
        assertEquals(reported(), everything, log);
        Map<String, Integer> union = new TreeMap<>();
        for (String shard : List.of("1/2", "2/2")) {
            build.pass("test", "-Prasher.shard=" + shard);
            assertFalse(began().isEmpty(), shard);
            began().forEach((test, count) -> union.merge(test, count, Integer::sum));
        }
        assertEquals(everything, union);
        // More shards than classes: of no project is anything left that Gradle would miss tests in, whatever its language
        // puts beside its classes.
        build.pass("test", "-Prasher.shard=7/7", "-Prasher.plan=build/rasher/wide.json");
        assertEquals(Map.of(), began());
    }
}
