package dev.rasher;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Writes a frame: see {@code jni-bridge/src/frame.rs} for its layout. */
final class FrameWriter {
    private static final int HEAD_BYTES = 16;
    private static final int ENTRY_BYTES = 24;

    private final int operation;
    private final List<Integer> ids = new ArrayList<>();
    private final List<byte[]> sections = new ArrayList<>();

    FrameWriter(int operation) {
        this.operation = operation;
    }

    FrameWriter control(String json) {
        return bytes(Section.CONTROL, json.getBytes(StandardCharsets.UTF_8));
    }

    FrameWriter bytes(int id, byte[] bytes) {
        ids.add(id);
        sections.add(bytes);
        return this;
    }

    FrameWriter ints(int id, int[] values) {
        ByteBuffer buffer = buffer(Math.multiplyExact(4, values.length));
        buffer.asIntBuffer().put(values);
        return bytes(id, buffer.array());
    }

    FrameWriter longs(int id, long[] values) {
        ByteBuffer buffer = buffer(Math.multiplyExact(8, values.length));
        buffer.asLongBuffer().put(values);
        return bytes(id, buffer.array());
    }

    /** Texts end to end, and where each ends. */
    FrameWriter strings(int arena, int ends, Iterable<String> texts) {
        Arena out = new Arena();
        for (String text : texts) {
            out.add(text.getBytes(StandardCharsets.UTF_8));
        }
        return bytes(arena, out.bytes()).ints(ends, out.ends());
    }

    /** Byte strings end to end, and where each ends. */
    FrameWriter blobs(int arena, int ends, Iterable<byte[]> blobs) {
        Arena out = new Arena();
        blobs.forEach(out::add);
        return bytes(arena, out.bytes()).ints(ends, out.ends());
    }

    private static final class Arena {
        private byte[] bytes = new byte[4_096];
        private int size;
        private int[] ends = new int[64];
        private int count;

        void add(byte[] blob) {
            int end = Math.addExact(size, blob.length);
            if (end > bytes.length) {
                bytes = Arrays.copyOf(bytes, Math.max(end, (int) Math.min(2L * bytes.length, Integer.MAX_VALUE - 8)));
            }
            System.arraycopy(blob, 0, bytes, size, blob.length);
            size = end;
            if (count == ends.length) {
                ends = Arrays.copyOf(ends, 2 * count);
            }
            ends[count++] = end;
        }

        byte[] bytes() {
            return Arrays.copyOf(bytes, size);
        }

        int[] ends() {
            return Arrays.copyOf(ends, count);
        }
    }

    byte[] finish() {
        int end = aligned(HEAD_BYTES + ENTRY_BYTES * ids.size());
        int[] offsets = new int[ids.size()];
        for (int at = 0; at < offsets.length; at++) {
            offsets[at] = end;
            end = aligned(Math.addExact(end, sections.get(at).length));
        }
        ByteBuffer out = buffer(end);
        out.put(new byte[] {'R', 'S', 'H', 'R'}).putShort((short) 1).putShort((short) 0);
        out.putInt(operation).putInt(ids.size());
        for (int at = 0; at < offsets.length; at++) {
            out.putInt(ids.get(at)).putInt(0).putLong(offsets[at]).putLong(sections.get(at).length);
        }
        for (int at = 0; at < offsets.length; at++) {
            out.position(offsets[at]);
            out.put(sections.get(at));
        }
        return out.array();
    }

    private static int aligned(int offset) {
        return Math.addExact(offset, 7) & ~7;
    }

    private static ByteBuffer buffer(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
