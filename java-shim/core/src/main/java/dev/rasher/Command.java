package dev.rasher;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;

/** Finds and runs the command {@code rasher}: named outright, brought along by a jar, or on the path. */
final class Command {
    /** Names the command outright; a system property, without any fallback. */
    static final String PATH = "rasher.command";

    private final Path executable;

    private Command(Path executable) {
        this.executable = executable;
    }

    /** How a run ended. */
    static final class Ended {
        final int exitCode;
        final byte[] out;
        private final byte[] err;

        Ended(int exitCode, byte[] out, byte[] err) {
            this.exitCode = exitCode;
            this.out = out;
            this.err = err;
        }

        String words() {
            return new String(err, StandardCharsets.UTF_8).strip();
        }
    }

    static Command find() {
        String path = System.getProperty(PATH);
        path = path == null || path.isEmpty() ? System.getenv("RASHER_COMMAND") : path;
        if (path != null && !path.isEmpty()) {
            return new Command(Paths.get(path).toAbsolutePath());
        }
        Path bundled = bundled();
        Path found = bundled == null ? onPath() : bundled;
        if (found == null) {
            throw RasherException.of(6, "no command `rasher` is found: neither a jar for " + Bundle.platform()
                    + " is on the class path nor a file on PATH; add the jar rasher-core with that classifier, install"
                    + " rasher, or name it by -D" + PATH + " or RASHER_COMMAND");
        }
        return new Command(found);
    }

    private static Path bundled() {
        Bundle command = Bundle.find("command");
        if (command == null) {
            return null;
        }
        StringBuilder tried = new StringBuilder();
        for (Path base : Bundle.bases()) {
            try {
                Path file = command.layOut(base, fileName());
                if (runs(file)) {
                    return file;
                }
                tried.append("\n  ").append(base).append(": it cannot be executed there");
            } catch (IOException e) {
                tried.append("\n  ").append(base).append(": ").append(e.getMessage());
            }
        }
        throw RasherException.of(6, "the command could not be laid out; set -D" + Bundle.FOLDER
                + " to a folder where files may be executed. Tried:" + tried);
    }

    private static boolean runs(Path file) {
        try {
            return new Command(file).run(Paths.get("").toAbsolutePath(), List.of("--version"), new byte[0], 0).exitCode == 0;
        } catch (RasherException e) {
            return false;
        }
    }

    private static String fileName() {
        return File.separatorChar == '\\' ? "rasher.exe" : "rasher";
    }

    private static Path onPath() {
        String path = System.getenv("PATH");
        for (String folder : path == null ? new String[0] : path.split(File.pathSeparator)) {
            Path file = Paths.get(folder, fileName());
            if (Files.isExecutable(file)) {
                return file;
            }
        }
        return null;
    }

    Ended run(Path directory, List<String> arguments, byte[] input, int length) {
        List<String> line = new ArrayList<>(List.of(executable.toString()));
        line.addAll(arguments);
        try {
            Process process = new ProcessBuilder(line).directory(directory.toFile()).start();
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            Thread words = reader(process.getErrorStream(), err);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            Thread data = reader(process.getInputStream(), out);
            try (OutputStream in = process.getOutputStream()) {
                in.write(input, 0, length);
            } catch (IOException e) {
                // It ended before it had read everything; its exit code says why.
            }
            int exitCode = process.waitFor();
            words.join();
            data.join();
            return new Ended(exitCode, out.toByteArray(), err.toByteArray());
        } catch (IOException e) {
            throw RasherException.of(6, "cannot run " + executable + ": " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw RasherException.of(6, "interrupted while " + executable + " ran");
        }
    }

    private static Thread reader(InputStream from, ByteArrayOutputStream to) {
        Thread thread = new Thread(() -> {
            try (from) {
                from.transferTo(to);
            } catch (IOException e) {
                // The process is gone; what it wrote before stands.
            }
        }, "rasher-command");
        thread.setDaemon(true);
        thread.start();
        return thread;
    }
}
