package dev.rasher;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Writes a frame: see {@code jni-bridge/src/frame.rs} for its layout. Each section is written where it stays; nothing is
 * put together from parts at the end.
 */
final class FrameWriter {
    private static final int HEAD_BYTES = 16;
    private static final int ENTRY_BYTES = 24;
    private static final int SECTIONS_MAX = 16;
    private static final int TABLE_END = HEAD_BYTES + SECTIONS_MAX * ENTRY_BYTES;

    /** So many characters are joined before they are copied on: few calls, and all of it stays in a near cache. */
    private static final int CHUNK = 16_384;

    private byte[] out;
    private int size = TABLE_END;
    private int count;
    private int start;

    FrameWriter() {
        this(256);
    }

    /** A frame whose sections will have about so many bytes; more make it grow. */
    FrameWriter(int bytes) {
        out = new byte[Math.addExact(TABLE_END, bytes)];
    }

    FrameWriter control(String json) {
        return bytes(Section.CONTROL, json.getBytes(StandardCharsets.UTF_8));
    }

    FrameWriter bytes(int id, byte[] bytes) {
        begin();
        append(bytes);
        return end(id);
    }

    FrameWriter ints(int id, int[] values, int length) {
        begin();
        room(Math.multiplyExact(4, length)).asIntBuffer().put(values, 0, length);
        size += 4 * length;
        return end(id);
    }

    FrameWriter longs(int id, long[] values, int length) {
        begin();
        room(Math.multiplyExact(8, length)).asLongBuffer().put(values, 0, length);
        size += 8 * length;
        return end(id);
    }

    /** Texts end to end in UTF-8, and where each ends. */
    FrameWriter strings(int arena, int ends, List<String> texts) {
        int[] stops = new int[texts.size()];
        begin();
        for (int at = 0; at < stops.length; at++) {
            append(texts.get(at).getBytes(StandardCharsets.UTF_8));
            stops[at] = size - start;
        }
        return end(arena).ints(ends, stops, stops.length);
    }

    /**
     * Texts end to end in Latin-1, and where each ends. That is how Java holds texts that need no other characters:
     * they are copied as they are, and nothing looks at each character, which is slow in a JVM that has just started.
     * What Latin-1 lacks becomes a question mark; the engine asks again where it sees one.
     */
    FrameWriter narrow(int arena, int ends, List<String> texts) {
        int[] stops = new int[texts.size()];
        begin();
        StringBuilder joined = new StringBuilder(CHUNK + 1_024);
        for (int at = 0; at < stops.length; at++) {
            joined.append(texts.get(at));
            stops[at] = size - start + joined.length();
            if (joined.length() >= CHUNK || at == stops.length - 1) {
                append(joined.toString().getBytes(StandardCharsets.ISO_8859_1));
                joined.setLength(0);
            }
        }
        return end(arena).ints(ends, stops, stops.length);
    }

    /** Byte strings end to end, and where each ends. */
    FrameWriter blobs(int arena, int ends, List<byte[]> blobs) {
        int[] stops = new int[blobs.size()];
        begin();
        for (int at = 0; at < stops.length; at++) {
            append(blobs.get(at));
            stops[at] = size - start;
        }
        return end(arena).ints(ends, stops, stops.length);
    }

    /** Completes the frame; sections may still be added, and the frame completed again. */
    FrameWriter seal(int operation) {
        ByteBuffer head = ByteBuffer.wrap(out).order(ByteOrder.LITTLE_ENDIAN);
        head.put(new byte[] {'R', 'S', 'H', 'R'}).putShort((short) 1).putShort((short) 0);
        head.putInt(operation).putInt(count);
        return this;
    }

    /** The same frame with another control document, without a copy of the rest. Not for several threads. */
    <T> T with(int operation, String control, java.util.function.Function<FrameWriter, T> use) {
        int sections = count;
        int bytes = size;
        try {
            return use.apply(control(control).seal(operation));
        } finally {
            count = sections;
            size = bytes;
        }
    }

    /** The frame, in the first {@link #length()} bytes. */
    byte[] array() {
        return out;
    }

    int length() {
        return size;
    }

    /** The frame by itself. */
    byte[] finish(int operation) {
        return Arrays.copyOf(seal(operation).out, size);
    }

    private void begin() {
        start = Math.addExact(size, 7) & ~7;
        room(start - size);
        size = start;
    }

    private FrameWriter end(int id) {
        if (count == SECTIONS_MAX) {
            throw new IllegalStateException("a frame of more than " + SECTIONS_MAX + " sections");
        }
        ByteBuffer entry = ByteBuffer.wrap(out).order(ByteOrder.LITTLE_ENDIAN);
        entry.position(HEAD_BYTES + ENTRY_BYTES * count++);
        entry.putInt(id).putInt(0).putLong(start).putLong(size - start);
        return this;
    }

    private void append(byte[] bytes) {
        if (bytes.length > out.length - size) {
            room(bytes.length);
        }
        System.arraycopy(bytes, 0, out, size, bytes.length);
        size += bytes.length;
    }

    /** Makes room for so many bytes more; the answer stands where they go. */
    private ByteBuffer room(int bytes) {
        int wanted = Math.addExact(size, bytes);
        if (wanted > out.length) {
            out = Arrays.copyOf(out, Math.max(wanted, (int) Math.min(out.length * 3L / 2, Integer.MAX_VALUE - 8)));
        }
        return ByteBuffer.wrap(out, size, bytes).slice().order(ByteOrder.LITTLE_ENDIAN);
    }
}
