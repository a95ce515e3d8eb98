package dev.rasher.maven;

import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/** A shard of a plan that knows no test: every class is new, and runs where its hash falls. */
final class EmptyShard {
    private EmptyShard() {}

    static String of(String shard) {
        String body = "rasher-shard 1\nplan none\nshard " + shard.replace('/', ' ') + " plan\n";
        CRC32 crc = new CRC32();
        crc.update(body.getBytes(StandardCharsets.UTF_8));
        return body + String.format("end %08x%n", crc.getValue()).replace("\r", "");
    }
}
