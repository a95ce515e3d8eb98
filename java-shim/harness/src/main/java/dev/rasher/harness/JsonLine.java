package dev.rasher.harness;

/** One JSON object on one line. */
final class JsonLine {
    private static final int MESSAGE_CHARS = 1_000;

    private final StringBuilder text = new StringBuilder(160).append('{');

    JsonLine text(String key, String value) {
        return value == null ? this : key(key).quoted(value);
    }

    JsonLine number(String key, long value) {
        key(key).text.append(value);
        return this;
    }

    /** What a test failed with; nothing where it did not. */
    JsonLine failure(Throwable cause) {
        if (cause == null) {
            return this;
        }
        String message;
        try {
            message = cause.getMessage();
        } catch (RuntimeException | LinkageError e) {
            message = null;
        }
        if (message != null && message.length() > MESSAGE_CHARS) {
            message = message.substring(0, MESSAGE_CHARS);
        }
        return text("kind", cause.getClass().getName()).text("message", message);
    }

    private JsonLine key(String key) {
        if (text.length() > 1) {
            text.append(',');
        }
        text.append('"').append(key).append("\":");
        return this;
    }

    private JsonLine quoted(String value) {
        text.append('"');
        for (int at = 0; at < value.length(); at++) {
            char c = value.charAt(at);
            if (c == '"' || c == '\\') {
                text.append('\\').append(c);
            } else if (c < ' ' || c == '\u2028' || c == '\u2029') {
                text.append(String.format("\\u%04x", (int) c));
            } else {
                text.append(c);
            }
        }
        text.append('"');
        return this;
    }

    /** The line with its end. */
    String end() {
        return text.append("}\n").toString();
    }
}
