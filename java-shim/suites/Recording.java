import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What one test JVM wrote down. */
final class Recording {
    private static final Pattern FIELD = Pattern.compile("\"(\\w+)\":(?:\"((?:[^\"\\\\]|\\\\.)*+)\"|(\\d+))");

    private static final Set<String> OUTSIDE = Set.of("initializationError", "executionError");

    /** By unique id: the last outcome, and how many there were. */
    final Map<String, String> outcomes = new HashMap<>();
    final Map<String, Integer> counts = new HashMap<>();
    /** Class and method of each test. */
    final Map<String, String> units = new HashMap<>();
    /** What reports call each test; Gradle prints one name for several. */
    final Map<String, String> names = new HashMap<>();
    /** The time of each outermost class, with its set-up. */
    final Map<String, Long> classMicros = new TreeMap<>();
    int shard;
    /** From the start of the tests to their end. */
    long millis;

    private final Map<String, String> running = new HashMap<>();
    private Instant start;

    private Recording(Path file) throws IOException {
        for (String line : Files.readAllLines(file)) {
            read(fields(line));
        }
    }

    private void read(Map<String, String> fields) {
        if (fields.containsKey("schema")) {
            start = Instant.parse(fields.get("at"));
            shard = Integer.parseInt(fields.getOrDefault("shard", "0"));
        } else if (fields.containsKey("over")) {
            millis = Duration.between(start, Instant.parse(fields.get("at"))).toMillis();
        } else if (fields.containsKey("begin")) {
            running.put(fields.get("begin"), fields.get("unique"));
            name(fields);
        } else if (fields.containsKey("end")) {
            String unique = running.getOrDefault(fields.get("end"), fields.get("unique"));
            // A failure outside the tests stands for all that it kept from running, and there may be several.
            if (OUTSIDE.contains(fields.getOrDefault("name", ""))) {
                unique += '/' + fields.get("end");
                fields.put("unique", unique);
            }
            if (!names.containsKey(unique)) {
                name(fields);
            }
            outcomes.put(unique, fields.get("outcome"));
            counts.merge(unique, 1, Integer::sum);
            time(names.get(unique).replaceFirst("(?s)#.*", ""), fields.getOrDefault("us", "0"));
        } else if (fields.containsKey("set_up_us")) {
            time(fields.get("class"), fields.get("set_up_us"));
        }
    }

    private void name(Map<String, String> fields) {
        String owner = fields.get("class") + '#';
        String method = fields.getOrDefault("method", fields.get("name")).split("[\\[({]", 2)[0].trim();
        names.put(fields.get("unique"), text(owner + fields.get("name")));
        units.put(fields.get("unique"), owner + method);
    }

    private void time(String owner, String micros) {
        classMicros.merge(owner.replaceFirst("\\$.*", ""), Long.parseLong(micros), Long::sum);
    }

    private static Map<String, String> fields(String line) {
        Map<String, String> fields = new HashMap<>();
        Matcher field = FIELD.matcher(line);
        while (field.find()) {
            fields.putIfAbsent(field.group(1), field.group(2) == null ? field.group(3) : field.group(2));
        }
        return fields;
    }

    /** What a string of a JSON document stands for. */
    static String text(String json) {
        StringBuilder text = new StringBuilder();
        for (int at = 0; at < json.length(); at++) {
            char next = json.charAt(at);
            if (next != '\\') {
                text.append(next);
                continue;
            }
            next = json.charAt(++at);
            int plain = "bfnrt".indexOf(next);
            if (next == 'u') {
                text.append((char) Integer.parseInt(json.substring(at + 1, at + 5), 16));
                at += 4;
            } else {
                text.append(plain < 0 ? next : "\b\f\n\r\t".charAt(plain));
            }
        }
        return text.toString();
    }

    /** The time of all its tests and set-ups. */
    long testMillis() {
        return classMicros.values().stream().mapToLong(Long::longValue).sum() / 1_000;
    }

    Set<String> failed() {
        return outcomes.entrySet().stream().filter(row -> !Set.of("passed", "skipped").contains(row.getValue()))
                .map(Map.Entry::getKey).collect(Collectors.toSet());
    }

    /** The recordings in a folder that hold any test. */
    static List<Recording> list(Path folder) throws IOException {
        List<Recording> all = new ArrayList<>();
        if (Files.isDirectory(folder)) {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.sorted().collect(Collectors.toList())) {
                    Recording recording = new Recording(file);
                    if (!recording.outcomes.isEmpty()) {
                        all.add(recording);
                    }
                }
            }
        }
        return all;
    }
}
