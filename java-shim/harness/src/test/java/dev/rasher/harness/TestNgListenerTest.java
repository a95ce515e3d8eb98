package dev.rasher.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.testng.TestNG;

/** TestNG in a JVM of its own, which finds the listener by itself. */
class TestNgListenerTest {
    private static final Pattern END = Pattern.compile("\"end\":(\\d+),.*\"outcome\":\"(\\w+)\"");
    private static final Pattern NAMED = Pattern.compile("\"(begin|end)\":(\\d+),\"class\":\"([^\"]*)\",\"name\":\"([^\"]*)\"");

    /** The JVM under test. */
    public static void main(String[] args) {
        runTestNg();
    }

    private static void runTestNg() {
        TestNG testng = new TestNG(false);
        testng.setVerbose(0);
        testng.setTestClasses(new Class<?>[] {TestNgUser.class, TestNgSource.class});
        testng.run();
    }

    @TempDir
    Path folder;

    private Map<String, String> recorded(String... settings) throws IOException, InterruptedException {
        List<String> line = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                "-Drasher.harness.record=" + folder.resolve("record")));
        line.addAll(Arrays.asList(settings));
        line.add(TestNgListenerTest.class.getName());
        Path log = folder.resolve("log.txt");
        Process process = new ProcessBuilder(line).redirectErrorStream(true).redirectOutput(log.toFile()).start();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), Files.readString(log));
        assertEquals("", Files.readString(log), "nothing but its own file is written to");
        Map<String, String> found = new TreeMap<>();
        String text = text();
        assertTrue(text.endsWith("\"over\":1}\n"), text);
        Map<String, String> names = new TreeMap<>();
        for (Matcher row = NAMED.matcher(text); row.find(); ) {
            names.put(row.group(2), row.group(3).replaceAll(".*TestNg", "") + '#' + row.group(4));
        }
        for (Matcher row = END.matcher(text); row.find(); ) {
            found.put(names.get(row.group(1)), row.group(2));
        }
        return found;
    }

    private String text() throws IOException {
        StringBuilder all = new StringBuilder();
        try (Stream<Path> files = Files.list(folder.resolve("record"))) {
            for (Path file : files.collect(Collectors.toList())) {
                all.append(Files.readString(file));
                Files.delete(file);
            }
        }
        return all.toString();
    }

    private String shard(String... lines) throws IOException {
        String body = "rasher-shard 1\nplan p\nshard 1 2 plan\n" + String.join("\n", lines) + '\n';
        CRC32 crc = new CRC32();
        crc.update(body.getBytes(StandardCharsets.UTF_8));
        Path file = folder.resolve("shard.txt");
        Files.writeString(file, body + String.format("end %08x\n", crc.getValue()));
        return "-Drasher.harness.shard=" + file;
    }

    private String onlyUser() throws IOException {
        return shard("class " + TestNgUser.class.getName(),
                "known " + Long.toHexString(Hash64.of(TestNgSource.class.getName())));
    }

    @Test
    void everythingIsRecordedWhereNothingIsPlanned() throws Exception {
        assertEquals(Map.of("Source#makes", "passed", "Source#alone", "passed", "User#uses", "passed", "User#free",
                "passed"), recorded());
    }

    @Test
    void aPrerequisiteOfAnotherShardRunsAndIsTheOtherShardsToTell() throws Exception {
        assertEquals(Map.of("User#uses", "passed", "User#free", "passed"), recorded(onlyUser()));
        // It did run: where it fails, what needs it could not run, and that is no mere skip.
        assertEquals(Map.of("User#uses", "set_up_failed", "User#free", "passed"), recorded(onlyUser(), "-Dbroken=true"));
    }

    @Test
    void aListRunsNothing() throws Exception {
        assertEquals(Map.of(), recorded("-Drasher.harness.mode=list", "-Dbroken=true"));
    }

    /** Here the JUnit Platform is running, and what it runs it records. */
    @Test
    void underTheJUnitPlatformItKeepsStill() throws IOException {
        System.setProperty("rasher.harness.record", folder.toString());
        try {
            runTestNg();
        } finally {
            System.clearProperty("rasher.harness.record");
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(0, files.count());
        }
    }
}
