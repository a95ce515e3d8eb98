package dev.rasher.harness;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The file of attempts of this JVM: only ever appended to, and handed to the operating system before a test begins, so
 * that a JVM that is killed loses nothing of the tests before.
 */
final class AttemptLog {
    /** The end of every such file's name. */
    static final String SUFFIX = ".attempts.jsonl";

    private static final AtomicLong COUNTER = new AtomicLong();

    private static AttemptLog open;
    private static Path openIn;

    private final OutputStream out;
    private final StringBuilder pending = new StringBuilder(4_096);

    private AttemptLog(OutputStream out) {
        this.out = out;
    }

    /** The log of this JVM, or null where nothing is to be recorded. */
    static synchronized AttemptLog open(Naming naming) {
        Path directory = Settings.path("record");
        if (directory == null) {
            return null;
        }
        if (open == null || !directory.equals(openIn)) {
            open = create(directory);
            openIn = directory;
            open.write(head(naming));
            open.flush();
        }
        return open;
    }

    /** The number of an attempt, no other of this JVM has it. */
    static long next() {
        return COUNTER.getAndIncrement();
    }

    private static AttemptLog create(Path directory) {
        try {
            Files.createDirectories(directory);
            for (int round = 0; ; round++) {
                String name = Long.toHexString(System.currentTimeMillis()) + '-'
                        + Long.toHexString(System.nanoTime() & 0xffffffffL) + '-' + round + SUFFIX;
                try {
                    Path file = directory.resolve(name);
                    return new AttemptLog(
                            Files.newOutputStream(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
                } catch (FileAlreadyExistsException e) {
                    if (round == 1_000) {
                        throw e;
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot record attempts in " + directory, e);
        }
    }

    private static String now() {
        return Instant.ofEpochMilli(System.currentTimeMillis()).toString();
    }

    /** Says that the tests are over: a recording without this as its last line broke off. */
    void over() {
        write(new JsonLine().text("at", now()).number("over", 1));
        flush();
    }

    private static JsonLine head(Naming naming) {
        JsonLine line = new JsonLine().text("schema", "rasher.attempts/1")
                .text("naming", naming.name().toLowerCase(java.util.Locale.ROOT))
                .text("java", System.getProperty("java.version"))
                .text("at", now());
        Path shard = Settings.path("shard");
        if (shard != null) {
            try {
                ShardPlan plan = ShardPlan.read(shard, null);
                line.text("plan", plan.id()).number("shard", plan.index()).number("shards", plan.count());
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read the shard file " + shard, e);
            }
        }
        String attempt = Settings.get("attempt");
        return attempt == null ? line : line.number("attempt", Long.parseLong(attempt));
    }

    synchronized void write(JsonLine line) {
        pending.append(line.end());
        if (pending.length() > 64 * 1_024) {
            flush();
        }
    }

    /** Hands everything so far to the operating system. */
    synchronized void flush() {
        if (pending.length() == 0) {
            return;
        }
        try {
            out.write(pending.toString().getBytes(StandardCharsets.UTF_8));
            pending.setLength(0);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot record attempts", e);
        }
    }
}
