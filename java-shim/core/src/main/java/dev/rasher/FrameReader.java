package dev.rasher;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads a frame: see {@code jni-bridge/src/frame.rs} for its layout. */
final class FrameReader {
    private final int operation;
    private final Map<Integer, ByteBuffer> sections = new HashMap<>();

    FrameReader(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (bytes.length < 16 || in.getInt() != 0x52485352 || in.getShort() != 1) {
            throw RasherException.of(70, "the engine's answer is not a frame of version 1");
        }
        in.getShort();
        operation = in.getInt();
        int count = in.getInt();
        try {
            for (int entry = 0; entry < count; entry++) {
                int id = in.getInt();
                in.getInt();
                int offset = Math.toIntExact(in.getLong());
                int length = Math.toIntExact(in.getLong());
                ByteBuffer section = in.duplicate();
                section.limit(Math.addExact(offset, length)).position(offset);
                sections.put(id, section.slice());
            }
        } catch (RuntimeException e) {
            throw RasherException.of(70, "the engine's answer is cut: " + e);
        }
    }

    /** The answer of a call; a fault is thrown. */
    static FrameReader of(byte[] bytes) {
        FrameReader answer = new FrameReader(bytes);
        if (answer.operation != Op.FAULT) {
            return answer;
        }
        Map<String, Object> fault = answer.control();
        Object place = fault.get("place");
        String message = fault.get("message") + (place == null ? "" : " (at " + place + ")");
        throw RasherException.of((int) Json.number(fault.get("exit_code")), message);
    }

    /** True where the names of the request must be sent in UTF-8. */
    boolean isAgain() {
        return operation == Op.AGAIN;
    }

    int operation() {
        return operation;
    }

    Map<String, Object> control() {
        return Json.object(Json.parse(new String(bytes(Section.CONTROL), StandardCharsets.UTF_8)));
    }

    byte[] bytes(int id) {
        ByteBuffer section = section(id);
        byte[] bytes = new byte[section.remaining()];
        section.get(bytes);
        return bytes;
    }

    int[] ints(int id) {
        ByteBuffer section = section(id);
        int[] values = new int[section.remaining() / 4];
        section.asIntBuffer().get(values);
        return values;
    }

    long[] longs(int id) {
        ByteBuffer section = section(id);
        long[] values = new long[section.remaining() / 8];
        section.asLongBuffer().get(values);
        return values;
    }

    List<String> strings(int arena, int ends) {
        byte[] bytes = bytes(arena);
        List<String> texts = new ArrayList<>();
        int start = 0;
        for (int end : ints(ends)) {
            texts.add(new String(bytes, start, end - start, StandardCharsets.UTF_8));
            start = end;
        }
        return texts;
    }

    private ByteBuffer section(int id) {
        ByteBuffer section = sections.get(id);
        return (section == null ? ByteBuffer.allocate(0) : section.duplicate()).order(ByteOrder.LITTLE_ENDIAN);
    }
}
