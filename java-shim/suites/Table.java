import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Prints what came of a suite; exits with 1 where a test was lost, run twice or judged wrongly. */
public final class Table {
    private static final Pattern FIELD = Pattern.compile("\"(\\w+)\":(?:\"((?:[^\"\\\\]|\\\\.)*+)\"|(\\d+))");
    private static final Pattern COUNTS = Pattern.compile("(\\d+) failed, (\\d+) flaky, (\\d+) suspect");

    /** A test JVM's file. */
    private static final class Recording {
        final Map<String, String> outcomes = new HashMap<>();
        final Map<String, Long> classMicros = new TreeMap<>();
        /** Class and method of each test. */
        final Map<String, String> units = new HashMap<>();
        /** What reports call each test; Gradle prints one name for several. */
        final Map<String, String> names = new HashMap<>();
        int runs;
        long millis;

        Recording(Path file) throws IOException {
            Map<String, String> running = new HashMap<>();
            Map<String, String> classOf = new HashMap<>();
            Instant start = null;
            for (String line : Files.readAllLines(file)) {
                Map<String, String> fields = fields(line);
                if (fields.containsKey("schema")) {
                    start = Instant.parse(fields.get("at"));
                } else if (fields.containsKey("over")) {
                    millis = Duration.between(start, Instant.parse(fields.get("at"))).toMillis();
                } else if (fields.containsKey("begin")) {
                    running.put(fields.get("begin"), fields.get("unique"));
                    classOf.put(fields.get("unique"), fields.get("class"));
                    names.put(fields.get("unique"), fields.get("class") + '#' + fields.get("name"));
                    units.put(fields.get("unique"), fields.get("class") + '#' + method(fields));
                } else if (fields.containsKey("end")) {
                    String unique = running.getOrDefault(fields.get("end"), fields.get("unique"));
                    String owner = fields.getOrDefault("class", classOf.get(unique));
                    outcomes.put(unique, fields.get("outcome"));
                    runs++;
                    classMicros.merge(owner, Long.parseLong(fields.getOrDefault("us", "0")), Long::sum);
                } else if (fields.containsKey("set_up_us")) {
                    classMicros.merge(fields.get("class"), Long.parseLong(fields.get("set_up_us")), Long::sum);
                }
            }
        }

        private static String method(Map<String, String> fields) {
            return fields.getOrDefault("method", fields.get("name")).split("[\\[({]", 2)[0].trim();
        }

        private static Map<String, String> fields(String line) {
            Map<String, String> fields = new HashMap<>();
            Matcher field = FIELD.matcher(line);
            while (field.find()) {
                fields.putIfAbsent(field.group(1), field.group(2) == null ? field.group(3) : field.group(2));
            }
            return fields;
        }

        Set<String> failedNames() {
            return failed().stream().filter(names::containsKey).map(names::get).collect(Collectors.toSet());
        }

        Set<String> failed() {
            return outcomes.entrySet().stream().filter(row -> !Set.of("passed", "skipped").contains(row.getValue()))
                    .map(Map.Entry::getKey).collect(Collectors.toSet());
        }
    }

    private static List<Recording> read(Path folder) throws IOException {
        List<Recording> all = new ArrayList<>();
        if (Files.isDirectory(folder)) {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.sorted().collect(Collectors.toList())) {
                    all.add(new Recording(file));
                }
            }
        }
        return all;
    }

    public static void main(String[] args) throws IOException {
        Path kept = Path.of(args[2]);
        int shards = Integer.parseInt(args[4]);
        Recording whole = read(kept.resolve("whole-1")).get(0);
        List<Recording> parts = read(kept.resolve("sharded-1")).stream().filter(part -> part.runs > 0)
                .collect(Collectors.toList());
        Map<String, Integer> union = new HashMap<>();
        parts.forEach(part -> part.outcomes.keySet().forEach(test -> union.merge(test, 1, Integer::sum)));
        Set<String> lost = new HashSet<>(whole.outcomes.keySet());
        lost.removeAll(union.keySet());
        long twice = union.values().stream().filter(count -> count > 1).count();
        boolean complete = Files.readString(kept.resolve("verify.json")).contains("\"complete\": true");
        System.out.printf(Locale.ROOT, "%s %s: %d tests in one JVM; in %d shards %d, lost %d, twice %d, verify %s%n",
                args[0], args[1], whole.outcomes.size(), parts.size(), union.size(), lost.size(), twice,
                complete ? "complete" : "INCOMPLETE");
        makespan(parts, Files.readString(Path.of(args[3])), shards);
        boolean judged = injected(kept);
        if (!lost.isEmpty() || twice > 0 || !complete || !judged) {
            lost.stream().limit(10).forEach(test -> System.out.println("  lost: " + test));
            System.exit(1);
        }
    }

    private static void makespan(List<Recording> parts, String plan, int shards) {
        Matcher planned = Pattern.compile("\"makespan_ms\":\\s*([0-9.]+)").matcher(plan);
        planned.find();
        long longest = parts.stream().mapToLong(part -> part.millis).max().orElse(0);
        Map<String, Long> classes = new TreeMap<>();
        parts.forEach(part -> part.classMicros.forEach((name, micros) ->
                classes.merge(name.replaceFirst("\\$.*", ""), micros, Long::sum)));
        long[] dealt = new long[shards];
        long total = 0;
        int at = 0;
        for (long micros : classes.values()) {
            dealt[at++ % shards] += micros;
            total += micros;
        }
        long worst = 0;
        for (long micros : dealt) {
            worst = Math.max(worst, micros);
        }
        System.out.printf(Locale.ROOT, "  makespan: planned %.1f s, realised %.1f s; the same times with the classes dealt out"
                + " in turn %.1f s; all of them %.1f s%n", Double.parseDouble(planned.group(1)) / 1e3, longest / 1e3,
                worst / 1e6, total / 1e6);
    }

    private static boolean injected(Path kept) throws IOException {
        List<Recording> rounds = new ArrayList<>(read(kept.resolve("injected-1")));
        Recording first = rounds.get(0);
        List<Recording> again = read(kept.resolve("injected-2"));
        Recording second = again.get(again.size() - 1);
        Set<String> failed = first.failed();
        Set<String> missed = new HashSet<>(failed);
        missed.removeAll(second.outcomes.keySet());
        Set<String> broken = second.failed();
        Set<String> units = failed.stream().map(first.units::get).collect(Collectors.toSet());
        Set<String> more = second.outcomes.keySet().stream().filter(test -> !units.contains(second.units.get(test)))
                .collect(Collectors.toSet());
        Matcher counts = COUNTS.matcher(Files.readString(kept.resolve("injected.txt")));
        String verdict = counts.find() ? counts.group() : "no verdict";
        int lasting = second.failedNames().size();
        int doubtful = first.failedNames().size() - lasting;
        boolean right = counts.reset().find() && Integer.parseInt(counts.group(1)) == lasting
                && Integer.parseInt(counts.group(2)) + Integer.parseInt(counts.group(3)) == doubtful;
        System.out.printf(Locale.ROOT, "  one shard with injected failures: %d of %d failed, %d ran again (%d units; %d of other"
                + " units), missed %d; %d failed again; verdict: %s%n", failed.size(), first.outcomes.size(),
                second.outcomes.size(), units.size(), more.size(), missed.size(), broken.size(), verdict);
        return missed.isEmpty() && right;
    }
}
