package dev.rasher.gradle;

import java.io.File;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.gradle.api.Action;
import org.gradle.api.Task;

/** Empties the folder of recordings before a test task runs. */
final class Forget implements Action<Task>, Serializable {
    private static final long serialVersionUID = 1L;

    private final File folder;

    Forget(File folder) {
        this.folder = folder;
    }

    @Override
    public void execute(Task task) {
        if (!folder.isDirectory()) {
            return;
        }
        try (Stream<Path> files = Files.list(folder.toPath())) {
            List<Path> old = files.collect(Collectors.toList());
            for (Path file : old) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("rasher: cannot empty " + folder, e);
        }
    }
}
