package dev.rasher;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.UUID;

/**
 * Finds and loads the native library, once for each class loader: a library file belongs to the loader that loaded it
 * first, so each gets a file of its own, which is deleted once it is mapped.
 */
final class Library {
    /** Names the library outright; a system property, without any fallback. */
    static final String PATH = "rasher.library";

    private static final int ABI = 2;

    private static boolean isLoaded;
    private static RasherException failure;

    private Library() {}

    static synchronized void load() {
        if (isLoaded) {
            return;
        }
        if (failure != null) {
            throw failure;
        }
        try {
            loadFirst(content());
            isLoaded = true;
        } catch (RasherException e) {
            failure = e;
            throw e;
        }
    }

    private static Bundle content() {
        String path = System.getProperty(PATH);
        if (path != null && !path.isEmpty()) {
            return Bundle.of(Paths.get(path));
        }
        Bundle bundled = Bundle.find("library");
        if (bundled == null) {
            throw RasherException.of(6, "no library for " + Bundle.platform() + " is on the class path; add the jar"
                    + " rasher-core with the classifier " + Bundle.platform() + ", or name the library by -D" + PATH);
        }
        return bundled;
    }

    private static void loadFirst(Bundle library) {
        StringBuilder tried = new StringBuilder();
        for (Path base : Bundle.bases()) {
            Path file = null;
            try {
                file = library.layOut(base, UUID.randomUUID() + suffix());
                System.load(file.toString());
                checkAbi(file);
                return;
            } catch (IllegalCallerException e) {
                throw denied(e);
            } catch (IOException | UnsatisfiedLinkError e) {
                tried.append("\n  ").append(base).append(": ").append(e.getMessage());
            } finally {
                discard(file);
            }
        }
        throw RasherException.of(6, "the native library could not be loaded; set -D" + Bundle.FOLDER
                + " to a folder where files may be executed, or use the process transport. Tried:" + tried);
    }

    /** Another folder would not help. */
    private static RasherException denied(IllegalCallerException cause) {
        Module module = Library.class.getModule();
        String name = module.isNamed() ? module.getName() : "ALL-UNNAMED";
        RasherException denied = RasherException.of(6, "Java denies native access: start it with"
                + " --enable-native-access=" + name + ", or use the process transport");
        denied.initCause(cause);
        return denied;
    }

    private static void checkAbi(Path file) {
        int abi;
        try {
            abi = Native.abi();
        } catch (UnsatisfiedLinkError e) {
            throw new UnsatisfiedLinkError(file + " does not serve " + Native.class.getName()
                    + ": it is another library, or this package was renamed (shaded): " + e.getMessage());
        }
        if (abi != ABI) {
            throw new UnsatisfiedLinkError(file + " is of version " + abi + ", this jar needs " + ABI);
        }
    }

    private static String suffix() {
        String mapped = System.mapLibraryName("x");
        return mapped.substring(mapped.lastIndexOf('.'));
    }

    /** A mapped file can go at once, except on Windows, where a later one sweeps it. */
    private static void discard(Path file) {
        if (file == null) {
            return;
        }
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            // Still mapped: it is swept once it is old.
        }
    }

    /** False where Java would warn of native code or refuse it: known from 22 on. */
    static boolean isAccessEnabled() {
        try {
            Method enabled = Module.class.getMethod("isNativeAccessEnabled");
            return (boolean) enabled.invoke(Library.class.getModule());
        } catch (NoSuchMethodException e) {
            return true;
        } catch (ReflectiveOperationException e) {
            return false;
        }
    }
}
