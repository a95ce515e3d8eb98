package dev.rasher.harness;

import java.nio.charset.StandardCharsets;

/**
 * The hash that stands for a class in a shard file: FNV-1a over UTF-8 with a final mix, the same in Rust.
 */
final class Hash64 {
    private Hash64() {}

    static long of(String text) {
        long hash = 0xcbf29ce484222325L;
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
        }
        hash = (hash ^ (hash >>> 33)) * 0xff51afd7ed558ccdL;
        hash = (hash ^ (hash >>> 33)) * 0xc4ceb9fe1a85ec53L;
        return hash ^ (hash >>> 33);
    }
}
