package dev.rasher;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Predicate;

/** Tests to be planned, each with its expected duration, and the set-up of their classes. Not for several threads. */
public final class Workload {
    private final List<String> ids = new ArrayList<>();
    private final Map<String, Integer> groups = new HashMap<>();
    private final List<String> groupNames = new ArrayList<>();
    private long[] means = new long[64];
    private long[] uppers = new long[64];
    private int[] groupOf = new int[64];
    private long[] setUps = new long[16];
    /** What the columns will need, as far as all names are ASCII. */
    private long bytes;
    private boolean hasUppers;
    private boolean hasSetUps;
    /** True once the engine has asked for UTF-8. */
    private boolean isWide;

    /** A workload without tests. */
    public Workload() {}

    /**
     * Adds a test.
     *
     * @param id its id; the plan refuses two equal ones
     * @param group its class or file, which is kept whole unless splitting pays; null for none
     * @param micros its expected duration in microseconds
     * @return this workload
     */
    public Workload add(String id, String group, long micros) {
        return add(id, group, micros, micros);
    }

    /**
     * Adds a test whose duration varies.
     *
     * @param id its id; the plan refuses two equal ones
     * @param group its class or file, which is kept whole unless splitting pays; null for none
     * @param micros its expected duration in microseconds
     * @param upperMicros an upper quantile of it, by which risky tests are run first
     * @return this workload
     */
    public Workload add(String id, String group, long micros, long upperMicros) {
        Objects.requireNonNull(id, "id");
        if (micros < 0 || upperMicros < 0) {
            throw RasherException.of(2, "`" + id + "`: a duration below zero");
        }
        int at = ids.size();
        if (at == means.length) {
            means = Arrays.copyOf(means, 2 * at);
            uppers = Arrays.copyOf(uppers, 2 * at);
            groupOf = Arrays.copyOf(groupOf, 2 * at);
        }
        ids.add(id);
        means[at] = micros;
        uppers[at] = upperMicros;
        groupOf[at] = group == null ? -1 : group(group);
        hasUppers |= upperMicros != micros;
        bytes += id.length() + 24;
        return this;
    }

    /**
     * Says what a class costs before its first test, on every shard that runs a part of it.
     *
     * @param group the class or file
     * @param micros its set-up in microseconds
     * @return this workload
     */
    public Workload setUp(String group, long micros) {
        if (micros < 0) {
            throw RasherException.of(2, "`" + group + "`: a set-up below zero");
        }
        int at = group(group);
        setUps[at] = micros;
        hasSetUps |= micros != 0;
        return this;
    }

    private int group(String name) {
        Integer known = groups.get(name);
        if (known != null) {
            return known;
        }
        int at = groups.size();
        if (at == setUps.length) {
            setUps = Arrays.copyOf(setUps, 2 * at);
        }
        groups.put(name, at);
        groupNames.add(name);
        bytes += name.length() + 12;
        return at;
    }

    /**
     * How many tests there are.
     *
     * @return zero or more
     */
    public int size() {
        return ids.size();
    }

    /**
     * The id of a test.
     *
     * @param index its place, from 0, in the order in which tests were added
     * @return the id as it was given
     */
    public String id(int index) {
        return ids.get(index);
    }

    /**
     * Asks the engine about this workload: first with names in Latin-1, and where they may have lost characters again
     * in UTF-8. Once is enough to know which it takes.
     */
    <T> T ask(Function<FrameWriter, T> question, Predicate<T> isAgain) {
        if (!isWide) {
            T answer = question.apply(columns(false));
            if (!isAgain.test(answer)) {
                return answer;
            }
            isWide = true;
        }
        return question.apply(columns(true));
    }

    /** This workload as the columns of a request; a column that says nothing is left out. */
    FrameWriter columns(boolean wide) {
        int size = ids.size();
        FrameWriter frame = new FrameWriter(Math.toIntExact(bytes + 1_024));
        names(frame, wide, ids, Section.NAMES).longs(Section.MEAN_US, means, size);
        if (hasUppers) {
            frame.longs(Section.UPPER_US, uppers, size);
        }
        if (!groupNames.isEmpty()) {
            names(frame, wide, groupNames, Section.GROUPS).ints(Section.GROUP_OF, groupOf, size);
        }
        if (hasSetUps) {
            frame.longs(Section.SETUP_US, setUps, groupNames.size());
        }
        return frame;
    }

    private static FrameWriter names(FrameWriter frame, boolean wide, List<String> names, int section) {
        boolean isTests = section == Section.NAMES;
        int ends = isTests ? Section.NAME_ENDS : Section.GROUP_ENDS;
        return wide
                ? frame.strings(section, ends, names)
                : frame.narrow(isTests ? Section.NAMES_LATIN1 : Section.GROUPS_LATIN1, ends, names);
    }
}
