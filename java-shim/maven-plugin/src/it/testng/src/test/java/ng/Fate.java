package ng;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;

/** How a test fares: flaky fails where it has not failed before, broken fails always; files remember. */
final class Fate {
    private static final File FOLDER = new File(System.getProperty("fate", "/nonexistent"));

    private Fate() {}

    /** Fails the first time. */
    static void flaky(String name) {
        if (is("flaky") && begins(name)) {
            throw new AssertionError("flaky " + name);
        }
    }

    /** Fails every time. */
    static void broken(String name) {
        if (is("broken")) {
            throw new AssertionError("broken " + name);
        }
    }

    /** Kills this JVM the first time, as a kernel out of memory would. */
    static void deadly(String name) {
        if (is("deadly") && begins(name)) {
            Runtime.getRuntime().halt(137);
        }
    }

    private static boolean is(String kind) {
        return new File(FOLDER, kind).exists();
    }

    static boolean begins(String name) {
        try {
            return FOLDER.exists() && new File(FOLDER, name + ".seen").createNewFile();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
