package dev.rasher.harness;

/** One JSON object on one line. */
final class JsonLine {
    private final StringBuilder text = new StringBuilder(160).append('{');

    JsonLine text(String key, String value) {
        return value == null ? this : key(key).quoted(value);
    }

    JsonLine number(String key, long value) {
        key(key).text.append(value);
        return this;
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
