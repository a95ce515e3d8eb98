package dev.rasher;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** What a Gradle daemon does to a plugin: loads it again and again, and expects the old one to go. */
class ReloadTest {
    private static final int RELOADS = 100;

    @Test
    @EnabledOnOs(OS.LINUX)
    void hundredClassLoadersLeaveNothingBehind() throws Exception {
        long mappedBefore = mapped();
        List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
        for (int round = 0; round < RELOADS; round++) {
            loaders.add(use(round % 2 == 0));
        }
        long alive = RELOADS;
        for (int round = 0; round < 50 && alive > 0; round++) {
            System.gc();
            Thread.sleep(20);
            alive = loaders.stream().filter(loader -> loader.get() != null).count();
        }
        assertEquals(0, alive, "class loaders still there");
        // Java unmaps a library some time after its class loader has gone.
        for (int round = 0; round < 250 && mapped() > mappedBefore; round++) {
            System.gc();
            Thread.sleep(20);
        }
        assertEquals(mappedBefore, mapped(), "libraries still mapped");
    }

    /** Loads the classes and the library anew and plans with them. */
    private static WeakReference<ClassLoader> use(boolean forget) throws Exception {
        URL classes = Rasher.class.getProtectionDomain().getCodeSource().getLocation();
        try (URLClassLoader loader = new URLClassLoader(new URL[] {classes}, ClassLoader.getPlatformClassLoader())) {
            Class<?> transport = loader.loadClass(Transport.class.getName());
            Object jni = transport.getField("JNI").get(null);
            Object rasher = loader.loadClass(Rasher.class.getName()).getMethod("open", transport).invoke(null, jni);
            assertEquals("0.1.0", rasher.getClass().getMethod("version").invoke(rasher));
            Class<?> workload = loader.loadClass(Workload.class.getName());
            Object empty = workload.getConstructor().newInstance();
            Object prepared = rasher.getClass().getMethod("prepare", workload).invoke(rasher, empty);
            // Every other one is forgotten.
            if (forget) {
                prepared.getClass().getMethod("plan", int.class).invoke(prepared, 2);
            } else {
                ((AutoCloseable) prepared).close();
            }
            return new WeakReference<>(loader);
        }
    }

    /** How many mappings of a Rasher library this process has. */
    private static long mapped() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/maps")).stream().filter(line -> line.contains("/rasher-")).count();
    }
}
