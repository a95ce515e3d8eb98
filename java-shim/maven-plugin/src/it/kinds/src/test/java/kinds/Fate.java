package kinds;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.opentest4j.AssertionFailedError;

/** How a test fares: flaky fails where it has not failed before, broken fails always; files remember. */
final class Fate {
    private static final File FOLDER = new File(System.getProperty("fate", "/nonexistent"));

    private Fate() {}

    /** Fails the first time. */
    static void flaky(String name) {
        if (is("flaky") && begins(name)) {
            throw new AssertionFailedError("flaky " + name);
        }
    }

    /** Fails the first time, in a run of its own: all at once would be more than a run can excuse. */
    static void shaky(String name) {
        if (is("shaky") && begins(name)) {
            throw new AssertionFailedError("shaky " + name);
        }
    }

    /** Fails every time. */
    static void broken(String name) {
        if (is("broken")) {
            throw new AssertionFailedError("broken " + name);
        }
    }

    /** Kills this JVM the first time, as a kernel out of memory would. */
    static void deadly(String name) {
        if (is("deadly") && begins(name)) {
            try {
                new ProcessBuilder("kill", "-9", String.valueOf(ProcessHandle.current().pid())).start().waitFor();
                Thread.sleep(60_000);
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private static boolean is(String kind) {
        return new File(FOLDER, kind).exists();
    }

    private static boolean begins(String name) {
        try {
            return new File(FOLDER, name + ".seen").createNewFile();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
