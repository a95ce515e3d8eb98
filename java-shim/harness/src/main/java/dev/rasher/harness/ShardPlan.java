package dev.rasher.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32;

/**
 * What one shard runs, as {@code rasher shard I/N --format harness} writes it.
 *
 * <p>The file is text: {@code rasher-shard 1}, then a line each for the plan, the shard, the classes it has whole
 * ({@code class}), the classes it shares with other shards ({@code split}, followed by the units that run {@code here}
 * and {@code there}), and the hashes of the outermost classes that run elsewhere ({@code known}); the last line is the
 * CRC-32 of everything above it.
 *
 * <p>A test runs here if it is planned here, or if it is planned nowhere and the hash of its outermost class falls on
 * this shard. All shards read the same plan, so that a test written after the plan was made runs on exactly one of
 * them. In a retry nothing runs but what is planned.
 *
 * <p>A <em>unit</em> is what a filter can still tell apart before tests run: the nested class and the method, without
 * parameters and invocations.
 */
public final class ShardPlan {
    private static final String HEAD = "rasher-shard 1";

    private final String id;
    private final int index;
    private final int count;
    private final boolean retry;
    private final Set<String> whole = new HashSet<>();
    private final Map<String, Split> split = new HashMap<>();
    private final long[] known;
    /** The module whose tests run here, where the plan tells classes of several modules apart by it. */
    private final String module;

    /** A class of which several shards run a part. */
    private static final class Split {
        /** True where this shard runs the methods that the plan does not know. */
        private final boolean takesNew;
        private final Map<String, Boolean> units = new HashMap<>();

        Split(boolean takesNew) {
            this.takesNew = takesNew;
        }
    }

    private ShardPlan(String[] lines, String module) {
        this.module = module;
        id = rest(lines, 1, "plan ");
        String[] shard = rest(lines, 2, "shard ").split(" ");
        if (shard.length != 3) {
            throw new IllegalArgumentException("line 3: `shard INDEX COUNT plan|retry` is expected");
        }
        index = Integer.parseInt(shard[0]);
        count = Integer.parseInt(shard[1]);
        retry = shard[2].equals("retry");
        if (index < 1 || index > count) {
            throw new IllegalArgumentException("line 3: shard " + index + " of " + count);
        }
        long[] hashes = new long[lines.length];
        int hashCount = 0;
        Split current = null;
        for (int at = 3; at < lines.length; at++) {
            String line = lines[at];
            int space = line.indexOf(' ');
            String word = space < 0 ? line : line.substring(0, space);
            String value = space < 0 ? "" : line.substring(space + 1);
            switch (word) {
                case "class":
                    whole.add(unescape(value));
                    break;
                case "split":
                    current = new Split(value.startsWith("new "));
                    split.put(unescape(value.substring(value.indexOf(' ') + 1)), current);
                    break;
                case "here":
                case "there":
                    if (current == null) {
                        throw new IllegalArgumentException("line " + (at + 1) + ": a unit before any `split`");
                    }
                    current.units.put(unescape(value), word.equals("here"));
                    break;
                case "known":
                    hashes[hashCount++] = Long.parseUnsignedLong(value, 16);
                    break;
                default:
                    throw new IllegalArgumentException("line " + (at + 1) + ": `" + word + "` is not known here");
            }
        }
        known = Arrays.copyOf(hashes, hashCount);
        Arrays.sort(known);
    }

    /**
     * Reads a shard file; linear in its bytes.
     *
     * @param file where it lies
     * @param module the module whose tests run here; null where there is but one
     * @return the shard
     * @throws IOException where the file cannot be read
     * @throws IllegalArgumentException where it is no shard file of this version, or was changed or cut
     */
    public static ShardPlan read(Path file, String module) throws IOException {
        try {
            return parse(Files.readAllBytes(file), module);
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new IllegalArgumentException(file + ": " + e.getMessage()
                    + "; write it again with `rasher shard I/N --plan PLAN --format harness`", e);
        }
    }

    /** The shard that the settings name; null where they name none, and everything runs. */
    static ShardPlan ofSettings() {
        Path file = Settings.path("shard");
        try {
            return file == null ? null : read(file, Settings.get("module"));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the shard file " + file, e);
        }
    }

    static ShardPlan parse(byte[] bytes, String module) {
        String text = new String(bytes, StandardCharsets.UTF_8);
        if (!text.startsWith(HEAD + "\n")) {
            int end = Math.min(text.length(), 40);
            String first = text.substring(0, end).split("\n", 2)[0];
            throw new IllegalArgumentException("begins `" + first + "`, not `" + HEAD + "`");
        }
        int tail = text.lastIndexOf("\nend ") + 1;
        if (tail == 0 || !text.endsWith("\n")) {
            throw new IllegalArgumentException("is cut: its last line is missing");
        }
        CRC32 crc = new CRC32();
        int bodyBytes = text.substring(0, tail).getBytes(StandardCharsets.UTF_8).length;
        crc.update(bytes, 0, bodyBytes);
        String said = text.substring(tail + 4).trim();
        if (!said.equals(String.format("%08x", crc.getValue()))) {
            throw new IllegalArgumentException("was changed after it was written: its checksum differs");
        }
        return new ShardPlan(text.substring(0, tail).split("\n"), module);
    }

    private static String rest(String[] lines, int at, String word) {
        if (at >= lines.length || !lines[at].startsWith(word)) {
            throw new IllegalArgumentException("line " + (at + 1) + ": `" + word.trim() + "` is expected");
        }
        return lines[at].substring(word.length());
    }

    static String unescape(String text) {
        if (text.indexOf('\\') < 0) {
            return text;
        }
        StringBuilder plain = new StringBuilder(text.length());
        for (int at = 0; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c == '\\' && at + 1 < text.length()) {
                char next = text.charAt(++at);
                plain.append(next == 'n' ? '\n' : next == 'r' ? '\r' : next);
            } else {
                plain.append(c);
            }
        }
        return plain.toString();
    }

    /**
     * The outermost class of a class.
     *
     * @param className a binary name such as {@code demo.ATest$Inner}
     * @return the part before the first {@code $} of its simple name
     */
    public static String outermost(String className) {
        int simple = className.lastIndexOf('.') + 1;
        int dollar = className.indexOf('$', simple + 1);
        return dollar < 0 ? className : className.substring(0, dollar);
    }

    /** The outermost class as the plan names it: with the module in front where two modules have such a class. */
    private String key(String className) {
        String outer = outermost(className);
        if (module != null) {
            String full = module + ':' + outer;
            if (whole.contains(full) || split.containsKey(full) || isKnown(full)) {
                return full;
            }
        }
        return outer;
    }

    private boolean isKnown(String key) {
        return Arrays.binarySearch(known, Hash64.of(key)) >= 0;
    }

    /**
     * What remains of a test's name without parameters and invocations.
     *
     * @param name as reports print it
     * @return the part before the first bracket of any kind
     */
    public static String bare(String name) {
        for (int at = 0; at < name.length(); at++) {
            char c = name.charAt(at);
            if (c == '(' || c == '[' || c == '{') {
                return name.substring(0, at).trim();
            }
        }
        return name.trim();
    }

    /**
     * The id of the plan.
     *
     * @return the hash of its content
     */
    public String id() {
        return id;
    }

    /**
     * Which shard this is.
     *
     * @return its index, from 1
     */
    public int index() {
        return index;
    }

    /**
     * How many shards the plan has.
     *
     * @return at least 1
     */
    public int count() {
        return count;
    }

    /**
     * Whether this is a retry, in which nothing runs but what is planned.
     *
     * @return true for a retry
     */
    public boolean retry() {
        return retry;
    }

    /**
     * The outermost classes that the plan has at least a part of on this shard.
     *
     * @return binary names, in no order
     */
    public Collection<String> classes() {
        Set<String> all = new HashSet<>(whole);
        all.addAll(split.keySet());
        return Collections.unmodifiableSet(all);
    }

    /**
     * Whether this shard runs anything of a class; what a build tool is asked to scan.
     *
     * @param className a binary name; nested classes follow their outermost class
     * @return true where the class must be looked at here
     */
    public boolean takesClass(String className) {
        String key = key(className);
        if (whole.contains(key) || split.containsKey(key)) {
            return true;
        }
        return !retry && !isKnown(key) && Long.remainderUnsigned(Hash64.of(key), count) == index - 1;
    }

    /**
     * Whether a build tool must give this shard a class: one of which it runs anything, or a suite, of whose tests no one
     * knows which they are before it is run.
     *
     * @param className a binary name
     * @param file where the class is
     * @return true where the class must be looked at here
     * @throws IOException where the class cannot be read
     */
    public boolean takesClassFile(String className, Path file) throws IOException {
        return takesClass(className) || mayHaveSuites() && Suites.is(Files.readAllBytes(file));
    }

    /** False where nothing at all is planned here: a suite of which nothing is left would be an empty run. */
    private boolean mayHaveSuites() {
        return !whole.isEmpty() || !split.isEmpty() || !retry && known.length == 0;
    }

    /** True where the class is shared with other shards, or a retry of a part of it. */
    boolean isSplit(String className) {
        return split.containsKey(key(className));
    }

    /** True where this shard runs what cannot be told apart in a shared class. */
    boolean takesRest(String className) {
        Split part = split.get(key(className));
        return part != null && part.takesNew;
    }

    /**
     * True where this shard runs a method, given all names by which the plan may know it. The first name that the
     * plan knows decides, on every shard alike.
     */
    boolean takesMethod(String className, Collection<String> names) {
        Split part = split.get(key(className));
        if (part == null) {
            return takesClass(className);
        }
        String nested = className.substring(outermost(className).length());
        for (String name : names) {
            Boolean here = part.units.get(nested + '#' + bare(name));
            if (here != null) {
                return here;
            }
        }
        return !retry && part.takesNew;
    }

    /** The units of a shared class that run here, to see whether each still has a method. */
    Set<String> unitsHere(String className) {
        Split part = split.get(key(className));
        if (part == null) {
            return Collections.emptySet();
        }
        Set<String> here = new HashSet<>();
        for (Map.Entry<String, Boolean> unit : part.units.entrySet()) {
            if (unit.getValue()) {
                here.add(unit.getKey());
            }
        }
        return here;
    }
}
