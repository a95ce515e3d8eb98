package dev.rasher;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.zip.CRC32;

/**
 * What the platform's jar brings along: the library and the command, each with its size and checksum.
 *
 * <p>Files are laid out below a private folder of the user. A folder that is a link, belongs to someone else or lies
 * where nothing may be executed is passed over; {@link #bases()} says where is looked, in order.
 */
final class Bundle {
    /** Where to lay files out first; a system property. */
    static final String FOLDER = "rasher.native.dir";

    private final byte[] content;
    private final String key;

    private Bundle(byte[] content, String key) {
        this.content = content;
        this.key = key;
    }

    /** The file of that name for this platform, or null where no jar brings it. */
    static Bundle find(String name) {
        String root = "/META-INF/rasher/native/" + platform() + "/";
        byte[] content = resource(root + name);
        byte[] said = resource(root + name + ".properties");
        if (content == null || said == null) {
            return null;
        }
        Properties properties = new Properties();
        try {
            properties.load(new java.io.ByteArrayInputStream(said));
        } catch (IOException | IllegalArgumentException e) {
            throw RasherException.of(6, root + name + ".properties cannot be read: " + e.getMessage());
        }
        String crc = crc(content);
        if (!crc.equals(properties.getProperty("crc32"))
                || !String.valueOf(content.length).equals(properties.getProperty("size"))) {
            throw RasherException.of(6, root + name + " in the jar is damaged: its size or checksum differs;"
                    + " fetch the jar again");
        }
        return new Bundle(content, crc);
    }

    /** A file that was named outright. */
    static Bundle of(Path file) {
        try {
            byte[] content = Files.readAllBytes(file);
            return new Bundle(content, crc(content));
        } catch (IOException e) {
            throw RasherException.of(6, "cannot read " + file + ": " + e);
        }
    }

    /** The name of this platform, as in the classifiers of the jars. */
    static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
        String cpu = arch.equals("amd64") ? "x86_64" : arch.equals("aarch64") ? "aarch_64" : arch;
        if (os.contains("linux")) {
            return "linux-" + cpu + (hasMusl() ? "-musl" : "");
        }
        return (os.contains("mac") ? "osx-" : os.contains("windows") ? "windows-" : os + '-') + cpu;
    }

    private static boolean hasMusl() {
        String[] libraries = new File("/lib").list();
        if (libraries != null) {
            for (String library : libraries) {
                if (library.startsWith("ld-musl-")) {
                    return true;
                }
            }
        }
        return false;
    }

    private static byte[] resource(String name) {
        URL url = Bundle.class.getResource(name);
        if (url == null) {
            return null;
        }
        try {
            URLConnection connection = url.openConnection();
            connection.setUseCaches(false);
            try (InputStream in = connection.getInputStream()) {
                return in.readAllBytes();
            }
        } catch (IOException e) {
            throw RasherException.of(6, "cannot read " + url + ": " + e);
        }
    }

    static String crc(byte[] content) {
        CRC32 crc = new CRC32();
        crc.update(content);
        return String.format("%08x", crc.getValue());
    }

    /** Folders to try, in order. */
    static List<Path> bases() {
        List<Path> bases = new ArrayList<>();
        String asked = System.getProperty(FOLDER);
        if (asked != null && !asked.isEmpty()) {
            bases.add(Paths.get(asked));
        }
        bases.add(Paths.get(System.getProperty("java.io.tmpdir")));
        bases.add(Paths.get(System.getProperty("user.home"), ".cache"));
        bases.add(Paths.get("target").toAbsolutePath());
        return bases;
    }

    /** Writes the file below a base, readable and executable by its user alone. An equal file of that name stays. */
    Path layOut(Path base, String name) throws IOException {
        String user = System.getProperty("user.name").replaceAll("[^A-Za-z0-9._-]", "_");
        Path folder = base.resolve("rasher-" + user).resolve(key);
        makePrivate(folder.getParent());
        makePrivate(folder);
        sweep(folder, name);
        Path file = folder.resolve(name);
        if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) && crc(Files.readAllBytes(file)).equals(key)) {
            return file;
        }
        Path half = folder.resolve(name + '.' + java.util.UUID.randomUUID());
        try {
            Files.write(half, content, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            if (isPosix(half)) {
                Files.setPosixFilePermissions(half, PosixFilePermissions.fromString("rwx------"));
            }
            return Files.move(half, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            Files.deleteIfExists(half);
            throw e;
        }
    }

    /** Deletes what a killed process, or one on Windows, has left more than a day ago. */
    private static void sweep(Path folder, String name) throws IOException {
        Instant old = Instant.now().minus(1, ChronoUnit.DAYS);
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                if (!file.endsWith(name) && Files.getLastModifiedTime(file).toInstant().isBefore(old)) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (FileSystemException | DirectoryIteratorException e) {
            // In use, or gone already: the next one tries again.
        }
    }

    private static void makePrivate(Path folder) throws IOException {
        Files.createDirectories(folder.getParent());
        try {
            if (isPosix(folder.getParent())) {
                Files.createDirectory(folder,
                        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            } else {
                Files.createDirectory(folder);
            }
        } catch (FileAlreadyExistsException e) {
            boolean isOwn = Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
                    && Files.getOwner(folder, LinkOption.NOFOLLOW_LINKS).equals(ownerOfNewFiles(folder));
            if (!isOwn) {
                throw new IOException(folder + " is not a folder of this user", e);
            }
            if (isPosix(folder)) {
                Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
            }
        }
    }

    private static java.nio.file.attribute.UserPrincipal ownerOfNewFiles(Path folder) throws IOException {
        Path probe = Files.createTempFile(folder.getParent(), "rasher", null);
        try {
            return Files.getOwner(probe);
        } finally {
            Files.delete(probe);
        }
    }

    static boolean isPosix(Path path) {
        return path.getFileSystem().supportedFileAttributeViews().contains("posix");
    }
}
