package dev.rasher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Where the library and the command are found and laid out, each time by a fresh JVM. */
@EnabledOnOs(OS.LINUX)
class LoaderTest {
    private static final Path LIBRARY = Path.of(System.getProperty(Library.PATH));
    private static final Path COMMAND = Path.of(System.getProperty(Command.PATH));
    private static final String VERSION = " 0.1.0 3";

    @TempDir
    Path folder;

    private Path jar;
    private Path temp;
    private Path home;

    @BeforeEach
    void makeFolders() throws IOException {
        jar = folder.resolve("jar");
        temp = Files.createDirectory(folder.resolve("temp"));
        home = Files.createDirectories(folder.resolve("home/.cache")).getParent();
        bundle("library", LIBRARY);
    }

    /** Lays a file out as the platform's jar does. */
    private void bundle(String name, Path from) throws IOException {
        Path at = Files.createDirectories(jar.resolve("META-INF/rasher/native/" + Bundle.platform())).resolve(name);
        byte[] content = Files.readAllBytes(from);
        Files.write(at, content);
        Files.writeString(at.resolveSibling(name + ".properties"),
                "size=" + content.length + "\ncrc32=" + Bundle.crc(content) + "\n");
    }

    /** What a fresh JVM says; it stands in an empty folder and knows no command but the jar's. */
    private String probe(String transport, String... options) {
        String classes = String.join(File.pathSeparator, "" + location(Rasher.class), "" + location(LoaderProbe.class), "" + jar);
        List<String> line = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djava.io.tmpdir=" + temp, "-Duser.home=" + home));
        line.addAll(List.of(options));
        line.addAll(List.of("-cp", classes, LoaderProbe.class.getName(), transport));
        try {
            ProcessBuilder builder = new ProcessBuilder(line).directory(folder.toFile());
            builder.environment().put("PATH", "");
            Process process = builder.redirectError(folder.resolve("errors").toFile()).start();
            return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static Path location(Class<?> type) {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().getPath());
    }

    private static List<Path> files(Path below) throws IOException {
        try (Stream<Path> walk = Files.walk(below)) {
            return walk.filter(Files::isRegularFile).collect(java.util.stream.Collectors.toList());
        }
    }

    @Test
    void theJarsLibraryIsLaidOutPrivatelyLoadedAndDeleted() throws IOException {
        assertEquals("JNI" + VERSION, probe("JNI"));
        assertEquals(List.of(), files(temp));
        Path own = temp.resolve("rasher-" + System.getProperty("user.name"));
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(own)));
        assertEquals(1, own.toFile().list().length);
    }

    @Test
    void aDamagedLibraryIsNamedAndNotLoaded() throws IOException {
        Path library = jar.resolve("META-INF/rasher/native/" + Bundle.platform() + "/library");
        byte[] content = Files.readAllBytes(library);
        content[content.length / 2] ^= 1;
        Files.write(library, content);
        assertTrue(probe("JNI").matches("StoreException: .*library in the jar is damaged.*"), probe("JNI"));
    }

    @Test
    void aLibraryThatIsAnotherIsRefused() throws IOException {
        bundle("library", location(LoaderProbe.class).resolve("dev/rasher/LoaderProbe.class"));
        assertTrue(probe("JNI").startsWith("StoreException: the native library could not be loaded"), probe("JNI"));
        assertTrue(probe("JNI", "-Drasher.library=no/such.so").startsWith("StoreException: cannot read"));
    }

    @Test
    void aFolderThatCannotBeUsedIsPassedOver() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        assertEquals("JNI" + VERSION, probe("JNI", "-Drasher.native.dir=" + file));
        Path base = Files.createDirectory(folder.resolve("base"));
        Path behind = Files.createDirectory(folder.resolve("behind"));
        Files.createSymbolicLink(base.resolve("rasher-" + System.getProperty("user.name")), behind);
        assertEquals("JNI" + VERSION, probe("JNI", "-Drasher.native.dir=" + base));
        assertEquals(0, behind.toFile().list().length, "a link is not followed");
    }

    @Test
    void whereNoFolderServesAllThatWereTriedAreNamed() throws IOException {
        Path file = Files.createFile(folder.resolve("file"));
        Files.createFile(folder.resolve("target"));
        String told = probe("JNI", "-Drasher.native.dir=" + file, "-Djava.io.tmpdir=" + file, "-Duser.home=" + file);
        assertTrue(told.startsWith("StoreException: the native library could not be loaded; set -Drasher.native.dir"), told);
        assertEquals(5, told.lines().count(), told);
        for (Path tried : List.of(file, file.resolve(".cache"), folder.resolve("target"))) {
            assertTrue(told.contains("\n  " + tried + ": "), told);
        }
    }

    @Test
    void aFolderWhereNothingMayBeExecutedIsPassedOver() throws Exception {
        onMount("noexec", sealed -> {
            bundle("command", COMMAND);
            assertEquals("JNI" + VERSION, probe("JNI", "-Drasher.native.dir=" + sealed));
            assertEquals("PROCESS" + VERSION, probe("PROCESS", "-Drasher.native.dir=" + sealed));
            Files.createFile(folder.resolve("target"));
            Path file = Files.createFile(folder.resolve("file"));
            String told = probe("JNI", "-Djava.io.tmpdir=" + sealed, "-Duser.home=" + file);
            assertTrue(told.contains(sealed + ": "), told);
            assertTrue(told.contains("failed to map segment"), told);
        });
    }

    @Test
    void aFullFolderIsPassedOverAndNothingHalfWrittenStaysInIt() throws Exception {
        onMount("size=256k", full -> {
            assertEquals("JNI" + VERSION, probe("JNI", "-Drasher.native.dir=" + full));
            assertEquals(List.of(), files(full));
        });
    }

    private interface Check {
        void on(Path mounted) throws Exception;
    }

    /** Checks on a folder of its own file system, mounted with these options. */
    private void onMount(String options, Check check) throws Exception {
        Path at = Files.createDirectory(folder.resolve("mounted"));
        int mounted = new ProcessBuilder("mount", "-t", "tmpfs", "-o", options, "tmpfs", "" + at)
                .redirectErrorStream(true).redirectOutput(folder.resolve("mount").toFile()).start().waitFor();
        assumeTrue(mounted == 0, "only root may mount a folder");
        try {
            check.on(at);
        } finally {
            new ProcessBuilder("umount", "-l", "" + at).start().waitFor();
        }
    }

    @Test
    void whatAKilledProcessLeftIsSweptOnceItIsOld() throws IOException {
        probe("JNI");
        Path own = temp.resolve("rasher-" + System.getProperty("user.name"));
        Path library = own.resolve(own.toFile().list()[0]);
        Path old = Files.createFile(library.resolve("old.so"));
        Path fresh = Files.createFile(library.resolve("fresh.so"));
        Files.setLastModifiedTime(old, FileTime.from(Instant.now().minusSeconds(100_000)));
        probe("JNI");
        assertEquals(List.of(fresh), files(temp));
    }

    @Test
    void autoTakesTheOtherWayWhereOneIsNotThere() throws IOException {
        boolean isFree = Runtime.version().feature() < 22;
        assertEquals("JNI" + VERSION, probe("AUTO"), "no command");
        bundle("command", COMMAND);
        assertEquals((isFree ? "JNI" : "PROCESS") + VERSION, probe("AUTO"));
        assertEquals("JNI" + VERSION, probe("AUTO", "--enable-native-access=ALL-UNNAMED"));
        Files.delete(jar.resolve("META-INF/rasher/native/" + Bundle.platform() + "/library"));
        assertEquals("PROCESS" + VERSION, probe("AUTO"), "no library");
        Files.delete(jar.resolve("META-INF/rasher/native/" + Bundle.platform() + "/command"));
        String told = probe("AUTO");
        assertTrue(told.startsWith("StoreException: no " + (isFree ? "library" : "command")), told);
    }

    @Test
    void whereJavaDeniesNativeAccessTheCommandServesAndTheMessageSaysWhatToDo() throws IOException {
        // Before Java 24 nothing can deny it.
        boolean canDeny = Runtime.version().feature() >= 24;
        bundle("command", COMMAND);
        if (canDeny) {
            String deny = "--illegal-native-access=deny";
            String told = probe("JNI", deny);
            assertEquals("StoreException: Java denies native access: start it with --enable-native-access=ALL-UNNAMED,"
                    + " or use the process transport", told);
            assertEquals("PROCESS" + VERSION, probe("AUTO", deny));
            assertEquals("JNI" + VERSION, probe("AUTO", deny, "--enable-native-access=ALL-UNNAMED"));
        } else {
            assertEquals("JNI" + VERSION, probe("AUTO"));
        }
    }
}
