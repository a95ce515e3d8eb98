package dev.rasher.gradle;

import dev.rasher.harness.ShardPlan;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32;

/**
 * The methods behind the names that Gradle prints. An invocation of a parameterised test is {@code [2] 7} there, and a
 * test may have any display name; the harness, which decides before there are invocations, needs the method.
 */
final class Methods {
    private static final String TEXT = "\"((?:[^\"\\\\]|\\\\.)*+)\"";
    private static final Pattern ROW = Pattern.compile(
            "\"class\":" + TEXT + ",\"name\":" + TEXT + ",\"unique\":" + TEXT + ",\"method\":" + TEXT);

    private static final Pattern OUTSIDE = Pattern.compile(
            "\"class\":" + TEXT + ",\"name\":\"(?:initializationError|executionError)\",");

    /** The methods that printed a name; two may have printed the same. */
    private final Map<String, Set<String>> methods = new HashMap<>();

    /** Outermost classes that failed outside their tests: what they kept from running nobody has named yet. */
    private final Set<String> wholeClasses = new HashSet<>();

    private Methods() {}

    /**
     * Reads recordings.
     *
     * @param recordings of all rounds
     * @param last those of the last round, by which a class must run as a whole
     */
    static Methods of(Collection<Path> recordings, Collection<Path> last) throws IOException {
        Methods read = new Methods();
        for (Path file : recordings) {
            Matcher row = ROW.matcher(Files.readString(file));
            while (row.find()) {
                String test = Ids.plain(row.group(1)) + '#' + Ids.plain(row.group(2));
                read.methods.computeIfAbsent(test, any -> new TreeSet<>()).add(Ids.plain(row.group(4)));
            }
        }
        for (Path file : last) {
            Matcher row = OUTSIDE.matcher(Files.readString(file));
            while (row.find()) {
                read.wholeClasses.add(ShardPlan.outermost(Ids.plain(row.group(1))));
            }
        }
        return read;
    }

    /** The shard file of a retry, with the units of its classes told by methods. */
    String inPlaceOfNames(String shardFile, List<String> tests) {
        StringBuilder body = new StringBuilder();
        for (String line : shardFile.split("\n")) {
            if (line.startsWith("here ") || line.startsWith("end ")) {
                continue;
            }
            String name = line.startsWith("split ") ? line.substring(line.indexOf(' ', "split ".length()) + 1) : null;
            boolean isWhole = name != null && wholeClasses.contains(name);
            body.append(isWhole ? "class " + name : line).append('\n');
            if (name != null && !isWhole) {
                units(name, tests).forEach(unit -> body.append("here ").append(escaped(unit)).append('\n'));
            }
        }
        CRC32 crc = new CRC32();
        crc.update(body.toString().getBytes(StandardCharsets.UTF_8));
        return body + String.format("end %08x", crc.getValue()) + '\n';
    }

    private Set<String> units(String outermost, List<String> tests) {
        Set<String> units = new TreeSet<>();
        for (String test : tests) {
            int hash = test.indexOf('#');
            if (hash >= 0 && Ids.outermostClass(test).equals(outermost)) {
                String nested = test.substring(outermost.length(), hash + 1);
                for (String name : methods.getOrDefault(test, Set.of(ShardPlan.bare(test.substring(hash + 1))))) {
                    units.add(nested + name);
                }
            }
        }
        return units;
    }

    private static String escaped(String text) {
        return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r");
    }
}
