package dev.rasher;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Tests to be planned, each with its expected duration, and the set-up of their classes. Not for several threads. */
public final class Workload {
    private final List<String> ids = new ArrayList<>();
    private final Map<String, Integer> groups = new LinkedHashMap<>();
    private long[] means = new long[64];
    private long[] uppers = new long[64];
    private int[] groupOf = new int[64];
    private long[] setUps = new long[16];

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

    /** The request that plans this workload. */
    FrameWriter request(String control) {
        int size = ids.size();
        return new FrameWriter(Op.PLAN)
                .control(control)
                .strings(Section.NAMES, Section.NAME_ENDS, ids)
                .ints(Section.GROUP_OF, Arrays.copyOf(groupOf, size))
                .strings(Section.GROUPS, Section.GROUP_ENDS, groups.keySet())
                .longs(Section.MEAN_US, Arrays.copyOf(means, size))
                .longs(Section.UPPER_US, Arrays.copyOf(uppers, size))
                .longs(Section.SETUP_US, Arrays.copyOf(setUps, groups.size()));
    }
}
