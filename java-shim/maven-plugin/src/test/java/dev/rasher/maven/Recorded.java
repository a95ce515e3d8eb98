package dev.rasher.maven;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A recording as the harness wrote it, read without the engine. */
final class Recorded {
    private static final Pattern FIELD = Pattern.compile("\"(\\w+)\":(?:\"((?:[^\"\\\\]|\\\\.)*)\"|(\\d+))");

    private Recorded() {}

    static Map<String, List<String>> read(Path file) {
        Map<String, List<String>> found = new TreeMap<>();
        Map<String, String> running = new HashMap<>();
        try {
            for (String line : Files.readAllLines(file)) {
                Map<String, String> fields = fields(line);
                String test = fields.get("class") + "#" + fields.get("name");
                if (fields.containsKey("begin")) {
                    running.put(fields.get("begin"), test);
                } else if (fields.containsKey("end")) {
                    String name = fields.containsKey("class") ? test : running.remove(fields.get("end"));
                    found.computeIfAbsent(name, any -> new ArrayList<>()).add(fields.get("outcome"));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return found;
    }

    private static Map<String, String> fields(String line) {
        Map<String, String> fields = new HashMap<>();
        Matcher field = FIELD.matcher(line);
        while (field.find()) {
            String text = field.group(2) == null ? field.group(3) : field.group(2);
            fields.putIfAbsent(field.group(1), text.replace("\\u000a", "\n").replace("\\\"", "\"").replace("\\\\", "\\"));
        }
        return fields;
    }
}
