package dev.rasher.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** A test JVM that is killed in mid-run loses nothing that was over, and tells what was running. */
class KilledTest {
    /** What the JVM to be killed runs: its third test never ends. */
    @TestMethodOrder(MethodOrderer.OrderAnnotation.class)
    static class Victim {
        @Test
        @Order(1)
        void first() {}

        @Test
        @Order(2)
        void second() {
            throw new IllegalStateException("said \"so\"\n");
        }

        @Test
        @Order(3)
        void third() throws InterruptedException {
            Thread.sleep(600_000);
        }

        @Test
        @Order(4)
        void fourth() {}
    }

    /** The JVM to be killed. */
    public static void main(String[] args) {
        LauncherFactory.create().execute(LauncherDiscoveryRequestBuilder.request()
                .selectors(DiscoverySelectors.selectClass(Victim.class)).build());
    }

    @Test
    void killedInMidRun(@TempDir Path folder) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                "-Drasher.harness.record=" + folder, KilledTest.class.getName())
                .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        try {
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (!recorded(folder).contains("\"name\":\"third\"") && System.nanoTime() < end) {
                Thread.sleep(20);
            }
        } finally {
            process.destroyForcibly().waitFor();
        }
        List<String> lines = recorded(folder).lines().collect(Collectors.toList());
        assertEquals(2, lines.stream().filter(line -> line.startsWith("{\"end\":")).count(), lines::toString);
        assertEquals(3, lines.stream().filter(line -> line.startsWith("{\"begin\":")).count(), lines::toString);
        assertTrue(lines.get(lines.size() - 1).contains("\"name\":\"third\""), lines::toString);
        assertTrue(lines.stream().anyMatch(line -> line.contains("said \\\"so\\\"\\u000a")), lines::toString);
    }

    private static String recorded(Path folder) throws IOException {
        StringBuilder all = new StringBuilder();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.collect(Collectors.toList())) {
                all.append(Files.readString(file));
            }
        }
        return all.toString();
    }
}
