package dev.rasher.gradle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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

/** A real Gradle: every test runs on exactly one shard, from the configuration cache and without a warning. */
class GradlePluginIT {
    private static final Pattern BEGIN = Pattern.compile("\"begin\":\\d+,\"class\":\"([^\"]*)\",\"name\":\"([^\"]*)\"");

    @TempDir
    Path folder;

    @Test
    void everyTestRunsOnExactlyOneShard() throws Exception {
        write("settings.gradle", "buildscript { dependencies { classpath files('" + System.getProperty("plugin.jar") + "','"
                + System.getProperty("core.jar") + "','" + System.getProperty("harness.jar") + "') } }\n"
                + "rootProject.name = 'demo'\n");
        write("build.gradle", "plugins { id 'java'; id 'dev.rasher' }\nrepositories { mavenCentral() }\n"
                + "dependencies { testImplementation 'org.junit.jupiter:junit-jupiter:5.14.4'\n"
                + "  testRuntimeOnly 'org.junit.platform:junit-platform-launcher:1.14.4' }\n"
                + "test { useJUnitPlatform() }\n");
        for (String name : List.of("A", "B", "C", "D", "E")) {
            write("src/test/java/demo/" + name + "Test.java", "package demo; import org.junit.jupiter.api.*;\n"
                    + "class " + name + "Test { @Test void one() {} @Test void two() {}\n"
                    + "  @Nested class In { @Test void deep() {} } }");
        }
        String log = gradle("test", "rasherCollect");
        Map<String, Integer> everything = recorded();
        assertEquals(15, everything.size(), log);

        Map<String, Integer> union = new TreeMap<>();
        for (String shard : List.of("1/2", "2/2")) {
            if (shard.equals("2/2")) {
                write("src/test/java/demo/NewTest.java",
                        "package demo; class NewTest { @org.junit.jupiter.api.Test void fresh() {} }");
            }
            gradle("test", "-Prasher.shard=" + shard);
            Map<String, Integer> part = recorded();
            assertFalse(part.isEmpty());
            part.forEach((test, count) -> union.merge(test, count, Integer::sum));
        }
        union.remove("demo.NewTest#fresh()");
        assertEquals(everything, union);
        assertTrue(Files.exists(folder.resolve("build/rasher/plan.json")));
        assertTrue(gradle("test", "-Prasher.shard=2/2").contains("Reusing configuration cache"));
    }

    private void write(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    /** How often each test began. */
    private Map<String, Integer> recorded() throws IOException {
        Map<String, Integer> found = new TreeMap<>();
        try (Stream<Path> files = Files.list(folder.resolve("build/rasher/test/attempts-1"))) {
            for (Path file : files.collect(Collectors.toList())) {
                Matcher begin = BEGIN.matcher(Files.readString(file));
                while (begin.find()) {
                    found.merge(begin.group(1) + '#' + begin.group(2), 1, Integer::sum);
                }
            }
        }
        return found;
    }

    private String gradle(String... arguments) throws Exception {
        List<String> line = new ArrayList<>(List.of(System.getProperty("gradle.home") + "/bin/gradle"));
        line.addAll(List.of(arguments));
        line.addAll(List.of("--configuration-cache", "--warning-mode=all"));
        Path log = folder.resolve("log.txt");
        ProcessBuilder builder = new ProcessBuilder(line).directory(folder.toFile()).redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().put("RASHER_COMMAND", System.getProperty("rasher.command"));
        builder.environment().keySet().removeIf(name -> name.equals("CI") || name.startsWith("GITHUB_")
                || name.startsWith("GITLAB_") || name.startsWith("CI_"));
        Process process = builder.start();
        assertTrue(process.waitFor(8, TimeUnit.MINUTES), "Gradle does not end");
        String text = Files.readString(log);
        assertEquals(0, process.exitValue(), text);
        assertFalse(text.contains("deprecated"), text);
        return text;
    }
}
