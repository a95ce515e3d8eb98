package dev.rasher;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads the engine's own JSON; keeps the jar free of dependencies. */
final class Json {
    private static final int DEPTH_MAX = 64;

    private final String text;
    private int at;
    private int depth;

    private Json(String text) {
        this.text = text;
    }

    static Object parse(String text) {
        Json json = new Json(text);
        try {
            Object value = json.value();
            json.space();
            if (json.at != text.length()) {
                throw json.broken();
            }
            return value;
        } catch (StringIndexOutOfBoundsException | NumberFormatException e) {
            throw json.broken();
        }
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(Object value) {
        if (!(value instanceof Map)) {
            throw RasherException.of(70, "an object is expected in the engine's answer");
        }
        return (Map<String, Object>) value;
    }

    @SuppressWarnings("unchecked")
    static List<Object> list(Object value) {
        if (!(value instanceof List)) {
            throw RasherException.of(70, "a list is expected in the engine's answer");
        }
        return (List<Object>) value;
    }

    static double number(Object value) {
        if (!(value instanceof Double)) {
            throw RasherException.of(70, "a number is expected in the engine's answer");
        }
        return (Double) value;
    }

    static String quote(String text) {
        StringBuilder quoted = new StringBuilder(text.length() + 2).append('"');
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ') {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }

    private RasherException broken() {
        return RasherException.of(70, "the engine's answer is no JSON at character " + at);
    }

    private void space() {
        while (at < text.length() && text.charAt(at) <= ' ') {
            at++;
        }
    }

    private boolean eat(char c) {
        space();
        if (at < text.length() && text.charAt(at) == c) {
            at++;
            return true;
        }
        return false;
    }

    private Object value() {
        space();
        char first = text.charAt(at);
        if (first == '"') {
            return string();
        }
        if (first == '{' || first == '[') {
            if (++depth > DEPTH_MAX) {
                throw broken();
            }
            Object value = first == '{' ? map() : array();
            depth--;
            return value;
        }
        return scalar();
    }

    private Map<String, Object> map() {
        Map<String, Object> map = new LinkedHashMap<>();
        at++;
        if (eat('}')) {
            return map;
        }
        do {
            space();
            String key = string();
            if (!eat(':')) {
                throw broken();
            }
            map.put(key, value());
        } while (eat(','));
        if (!eat('}')) {
            throw broken();
        }
        return map;
    }

    private List<Object> array() {
        List<Object> list = new ArrayList<>();
        at++;
        if (eat(']')) {
            return list;
        }
        do {
            list.add(value());
        } while (eat(','));
        if (!eat(']')) {
            throw broken();
        }
        return list;
    }

    private String string() {
        if (text.charAt(at++) != '"') {
            throw broken();
        }
        StringBuilder plain = new StringBuilder();
        for (char c = text.charAt(at++); c != '"'; c = text.charAt(at++)) {
            plain.append(c == '\\' ? escaped() : c);
        }
        return plain.toString();
    }

    private char escaped() {
        char c = text.charAt(at++);
        switch (c) {
            case 'n':
                return '\n';
            case 't':
                return '\t';
            case 'r':
                return '\r';
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'u':
                at += 4;
                return (char) Integer.parseInt(text.substring(at - 4, at), 16);
            default:
                return c;
        }
    }

    private Object scalar() {
        int start = at;
        while (at < text.length() && ",]} \n\r\t".indexOf(text.charAt(at)) < 0) {
            at++;
        }
        String word = text.substring(start, at);
        switch (word) {
            case "null":
                return null;
            case "true":
                return true;
            case "false":
                return false;
            default:
                return Double.valueOf(word);
        }
    }
}
