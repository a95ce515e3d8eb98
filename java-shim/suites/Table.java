import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Chooses what fails, tells what came of a suite, and exits with 1 where that is not what had to come of it. */
public final class Table {
    /** So many tests fail always, and as many once. */
    private static final int INJECTED = 6;

    private static final Pattern VERDICT =
            Pattern.compile("\"test\":\\s*\"((?:[^\"\\\\]|\\\\.)*)\",\\s*\"verdict\":\\s*\"([a-z_]+)\"");

    private final Path kept;
    private final int shards;
    private final Recording whole;
    private final List<Recording> parts;
    private final List<Recording> again;
    private final List<Recording> anew;
    private final Set<String> broken = new TreeSet<>();
    private final Set<String> flaky = new TreeSet<>();
    private final List<String> wrong = new ArrayList<>();

    private Table(Path kept, int shards) throws IOException {
        this.kept = kept;
        this.shards = shards;
        whole = Recording.list(kept.resolve("whole")).get(0);
        parts = Recording.list(kept.resolve("sharded"));
        again = Recording.list(kept.resolve("sharded-again"));
        anew = Recording.list(kept.resolve("anew"));
        for (String line : Files.readAllLines(kept.resolve("fates.txt"))) {
            String[] fate = line.split(" ", 2);
            (fate[0].equals("broken") ? broken : flaky).add(fate[1]);
        }
    }

    public static void main(String[] args) throws IOException {
        switch (args[0]) {
            case "pick":
                pick(Recording.list(Path.of(args[1], "whole")).get(0));
                break;
            case "row":
                Table table = new Table(Path.of(args[3]), Integer.parseInt(args[4]));
                Files.writeString(Path.of(args[3], "row.txt"), table.row(args[1], args[2]) + '\n');
                table.wrong.forEach(what -> System.err.println(args[1] + ' ' + args[2] + ": WRONG: " + what));
                System.exit(table.wrong.isEmpty() ? 0 : 1);
                break;
            default:
                print(Arrays.copyOfRange(args, 1, args.length));
        }
    }

    /** Tests of as many classes, and of names that no other test has. */
    private static void pick(Recording whole) {
        Map<String, Integer> namesakes = new HashMap<>();
        whole.names.values().forEach(name -> namesakes.merge(name, 1, Integer::sum));
        boolean isVintage = whole.outcomes.keySet().stream().anyMatch(test -> test.contains("[runner:inject."));
        Set<String> taken = new HashSet<>();
        List<String> chosen = whole.outcomes.entrySet().stream()
                .filter(row -> row.getValue().equals("passed")).map(Map.Entry::getKey)
                .filter(test -> test.indexOf('\\') < 0 && namesakes.get(whole.names.get(test)) == 1)
                .filter(test -> isVintage ? test.contains("[runner:inject.")
                        : test.matches(".*/\\[(method|test-template-invocation):[^/]*]"))
                .sorted(Comparator.comparingInt((String test) -> test.hashCode() * 0x9e3779b9).thenComparing(test -> test))
                .filter(test -> taken.add(whole.units.get(test).replaceFirst("[$#].*", "")))
                .limit(2 * INJECTED).collect(Collectors.toList());
        for (int at = 0; at < chosen.size(); at++) {
            System.out.println((at % 2 == 0 ? "broken " : "flaky ") + chosen.get(at));
        }
    }

    private void check(boolean isRight, String what) {
        if (!isRight) {
            wrong.add(what);
        }
    }

    private String row(String tool, String name) throws IOException {
        Set<String> lost = new TreeSet<>();
        long twice = 0;
        for (List<Recording> run : anew.isEmpty() ? List.of(parts) : List.of(parts, anew)) {
            Map<String, Integer> union = new HashMap<>();
            run.forEach(part -> part.counts.forEach((test, count) -> union.merge(test, count, Integer::sum)));
            whole.outcomes.keySet().stream().filter(test -> !union.containsKey(test) && !isOutside(test))
                    .forEach(lost::add);
            twice += union.values().stream().filter(count -> count > 1).count();
        }
        check(lost.isEmpty(), lost.size() + " lost, such as " + lost.stream().limit(3).collect(Collectors.toList()));
        check(twice == 0, twice + " ran twice");
        boolean isComplete = Files.readString(kept.resolve("verify.json")).contains("\"complete\": true");
        check(isComplete, "verify says incomplete");
        List<String> cells = new ArrayList<>(List.of(name, tool, String.valueOf(whole.outcomes.size()),
                String.valueOf(lost.size()), String.valueOf(twice), isComplete ? "yes" : "NO"));
        cells.add(span("sharded", parts));
        cells.add(anew.isEmpty() ? "" : span("anew", anew));
        cells.add(ownSplits());
        cells.addAll(judged());
        return String.join("\t", cells);
    }

    /** Planned and realised, and each shard's on standard error. */
    private String span(String run, List<Recording> recordings) throws IOException {
        String plan = Files.readString(kept.resolve("plan-" + run + ".json"));
        Matcher planned = Pattern.compile("\"predicted_ms\":\\s*([0-9.]+)").matcher(plan);
        Map<Integer, Long> took = new TreeMap<>();
        recordings.forEach(part -> took.merge(part.shard, part.millis, Long::sum));
        double most = 0;
        double all = 0;
        for (int shard = 1; shard <= shards && planned.find(); shard++) {
            double told = Double.parseDouble(planned.group(1)) / 1e3;
            most = Math.max(most, told);
            all += told;
            int at = shard;
            long tests = recordings.stream().filter(part -> part.shard == at).mapToLong(Recording::testMillis).sum();
            System.err.printf(Locale.ROOT, "  %s %d: planned %.2f s, took %.2f s, of which tests and set-ups %.2f s%n", run,
                    shard, told, took.getOrDefault(shard, 0L) / 1e3, tests / 1e3);
        }
        return String.format(Locale.ROOT, "%.1f s → %.1f s (all: %.0f → %.0f)", most, longest(recordings) / 1e3, all,
                took.values().stream().mapToLong(Long::longValue).sum() / 1e3);
    }

    private static long longest(List<Recording> recordings) {
        return recordings.stream().mapToLong(part -> part.millis).max().orElse(0);
    }

    /** The classes of the same run as runners split them: in turn (Gradle's forks), in blocks, from a queue (Surefire's). */
    private String ownSplits() {
        List<Recording> measured = anew.isEmpty() ? parts : anew;
        Map<String, Long> classes = new TreeMap<>();
        measured.forEach(part -> part.classMicros.forEach((name, micros) -> classes.merge(name, micros, Long::sum)));
        long overhead = (measured.stream().mapToLong(part -> part.millis - part.testMillis()).sum()) * 1_000 / measured.size();
        long[] turn = new long[shards];
        long[] block = new long[shards];
        long[] queue = new long[shards];
        int at = 0;
        for (long micros : classes.values()) {
            turn[at % shards] += micros;
            block[at * shards / classes.size()] += micros;
            Arrays.sort(queue);
            queue[0] += micros;
            at++;
        }
        return Stream.of(turn, block, queue).map(dealt -> Arrays.stream(dealt).max().orElse(0) + overhead)
                .map(micros -> String.format(Locale.ROOT, "%.1f", micros / 1e6)).collect(Collectors.joining(" / ")) + " s";
    }

    /** What was injected, found, run again and judged. */
    private List<String> judged() throws IOException {
        Map<String, String> names = new HashMap<>(whole.names);
        Map<String, String> units = new HashMap<>(whole.units);
        parts.forEach(part -> units.putAll(part.units));
        parts.forEach(part -> names.putAll(part.names));
        Set<String> first = union(parts);
        Set<String> second = union(again);
        Set<String> ran = again.stream().flatMap(part -> part.outcomes.keySet().stream()).collect(Collectors.toSet());
        check(first.containsAll(broken) && first.containsAll(flaky), "an injected failure did not show");
        check(first.stream().allMatch(test -> ran.contains(test) || isOutside(test)), "a failure did not run again");
        check(second.containsAll(broken), "a lasting failure passed when it ran again");
        check(flaky.stream().noneMatch(second::contains), "a flaky failure failed again");
        Set<String> failedUnits = first.stream().map(units::get).collect(Collectors.toSet());
        Set<String> failedClasses = failedUnits.stream().map(Table::outermost).collect(Collectors.toSet());
        again.forEach(part -> units.putAll(part.units));
        long siblings = ran.stream().filter(test -> !first.contains(test) && failedUnits.contains(units.get(test))).count();
        long others = ran.stream().filter(test -> !failedUnits.contains(units.get(test))).count();
        check(ran.stream().allMatch(test -> failedClasses.contains(outermost(units.get(test)))),
                "a class ran again in which nothing had failed");
        Map<String, String> verdicts = verdicts();
        Set<String> lasting = second.stream().map(names::get).collect(Collectors.toSet());
        for (String name : first.stream().filter(test -> !isOutside(test)).map(names::get).collect(Collectors.toSet())) {
            String word = verdicts.remove(name);
            check(lasting.contains(name) ? "failed".equals(word) : Set.of("flaky", "suspect").contains(String.valueOf(word)),
                    name + " is judged " + word);
        }
        // A class that fails outside its tests fails each of them.
        verdicts.keySet().removeIf(test -> first.stream().filter(Table::isOutside)
                .anyMatch(outside -> test.startsWith(names.get(outside).replaceFirst("(?s)#.*", "#"))));
        check(verdicts.isEmpty(), "judged and never failed: " + verdicts);
        boolean isBlocked = isBlockedWhereItMust(second);
        check(isBlocked, "a build went through with a lasting failure, or was stopped without one");
        long own = first.stream().filter(test -> !broken.contains(test) && !flaky.contains(test)).count();
        return List.of(broken.stream().filter(first::contains).count() + " / " + broken.size(),
                flaky.stream().filter(first::contains).count() + " / " + flaky.size(), String.valueOf(own),
                first.size() + " + " + siblings + " + " + others, lasting.size() + " failed, "
                + (first.stream().map(names::get).distinct().count() - lasting.size()) + " flaky",
                wrong.isEmpty() ? "right" : "WRONG");
    }

    /** A failure of a class outside its tests. */
    private static boolean isOutside(String test) {
        return test.matches(".*]/\\d+");
    }

    private static String outermost(String unit) {
        return unit.replaceFirst("[$#].*", "");
    }

    private static Set<String> union(List<Recording> recordings) {
        return recordings.stream().flatMap(part -> part.failed().stream()).collect(Collectors.toCollection(TreeSet::new));
    }

    private Map<String, String> verdicts() throws IOException {
        Map<String, String> verdicts = new TreeMap<>();
        for (int at = 0; at <= shards; at++) {
            Path file = kept.resolve("verdict-" + at + ".json");
            Matcher row = VERDICT.matcher(Files.exists(file) ? Files.readString(file) : "");
            while (row.find()) {
                verdicts.put(Recording.text(row.group(1)), row.group(2));
            }
        }
        return verdicts;
    }

    /** Builds fail where a failure lasted, and nowhere else; shard 0 stands for the goal that judges all. */
    private boolean isBlockedWhereItMust(Set<String> lasting) throws IOException {
        boolean isRight = true;
        for (String line : Files.readAllLines(kept.resolve("exits-sharded.txt"))) {
            int shard = Integer.parseInt(line.split(" ")[0]);
            boolean hasLasting = shard == 0 ? !lasting.isEmpty() : parts.stream().filter(part -> part.shard == shard)
                    .anyMatch(part -> part.outcomes.keySet().stream().anyMatch(lasting::contains));
            isRight &= hasLasting != line.endsWith(" 0");
        }
        return isRight;
    }

    private static void print(String[] folders) throws IOException {
        System.out.println("| suite | under | tests | lost | twice | complete | planned → realised, by one JVM's times (longest shard; all shards)"
                + " | the same, by fresh JVMs' times | runner's own split: in turn / blocks / queue"
                + " | lasting failures found | flaky found | own failures | run again: failed + siblings + rest of class"
                + " | judged | verdict |");
        System.out.println("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
        for (String folder : folders) {
            System.out.println("| " + Files.readString(Path.of(folder, "row.txt")).trim().replace("\t", " | ") + " |");
        }
    }
}
