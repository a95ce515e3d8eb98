package dev.rasher.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** What is paid once for a class is its set-up, and what is paid for each test is the test's. */
class ClassTimeTest {
    private static final int PAUSE_MS = 30;
    private static final int SET_UP_MS = 50;
    private static final Pattern TESTS = Pattern.compile("\"us\":(\\d+)");
    private static final Pattern SET_UP = Pattern.compile("\"set_up_us\":(\\d+)");

    /** Takes its time before its first test, and between two. */
    static class Slow {
        @BeforeAll
        static void setUp() {
            pause(SET_UP_MS);
        }

        static Stream<Integer> numbers() {
            return IntStream.range(0, 5).boxed().peek(number -> pause(PAUSE_MS));
        }

        @ParameterizedTest
        @MethodSource("numbers")
        void takesNumbers(int number) {}
    }

    private static void pause(int millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A JVM of its own, in which the recorder finds the setting. */
    public static void main(String[] args) {
        LauncherFactory.create().execute(LauncherDiscoveryRequestBuilder.request()
                .selectors(DiscoverySelectors.selectClass(Slow.class)).build());
    }

    @Test
    void whatPassesBetweenTwoTestsIsTheLaterOnes(@TempDir Path folder) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                "-Drasher.harness.record=" + folder, ClassTimeTest.class.getName())
                .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        assertEquals(0, process.waitFor());
        String recording;
        try (Stream<Path> files = Files.list(folder)) {
            recording = Files.readString(files.findFirst().orElseThrow());
        }
        List<Long> tests = numbers(TESTS, recording);
        assertEquals(5, tests.size(), recording);
        for (long micros : tests.subList(1, 5)) {
            assertTrue(micros >= PAUSE_MS * 1_000, recording);
        }
        // The first one's arguments are made before it begins, with the class.
        long setUp = numbers(SET_UP, recording).get(0);
        assertTrue(setUp >= (SET_UP_MS + PAUSE_MS) * 1_000, recording);
    }

    private static List<Long> numbers(Pattern pattern, String text) {
        return pattern.matcher(text).results().map(found -> Long.valueOf(found.group(1))).collect(Collectors.toList());
    }
}
