package dev.rasher.maven;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A file of attempts that a test JVM wrote, as far as its first and last line tell. */
final class Recording {
    private static final String SUFFIX = ".attempts.jsonl";
    private static final Pattern SHARD = Pattern.compile("\"shard\":(\\d+),\"shards\":(\\d+)");

    private final Path file;

    private Recording(Path file) {
        this.file = file;
    }

    /** The recordings in a folder. */
    static List<Recording> list(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(SUFFIX)).sorted().map(Recording::new)
                    .collect(Collectors.toList());
        }
    }

    Path file() {
        return file;
    }

    /** True for a recording of a shard, {@code I/N}. */
    boolean isOf(String shard) throws IOException {
        Matcher told = SHARD.matcher(head());
        return told.find() && shard.equals(told.group(1) + '/' + told.group(2));
    }

    /** True where it follows a plan, which its shards have in common. */
    boolean follows(String planId) throws IOException {
        return head().contains("\"plan\":\"" + planId + '"');
    }

    private String head() throws IOException {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.findFirst().orElse("");
        }
    }

    /** True where the JVM came to its end; else it had more to run than it wrote down. */
    boolean isOver() throws IOException {
        List<String> lines = Files.readAllLines(file);
        return !lines.isEmpty() && lines.get(lines.size() - 1).contains("\"over\":");
    }
}
