package dev.rasher;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Shards, and the proof of how good they are. */
public final class Plan {
    private final List<Shard> shards;
    private final double makespanMillis;
    private final double lowerBoundMillis;
    private final double gap;
    private final String boundBy;

    Plan(FrameReader answer) {
        Map<String, Object> head = answer.control();
        long[] predicted = answer.longs(Section.SHARD_US);
        long[] setUps = answer.longs(Section.SHARD_SETUP_US);
        int[] tests = answer.ints(Section.SHARD_TESTS);
        List<Shard> parts = new ArrayList<>();
        int start = 0;
        for (int end : answer.ints(Section.SHARD_ENDS)) {
            int at = parts.size();
            int[] own = Arrays.copyOfRange(tests, start, end);
            parts.add(new Shard(at + 1, own, predicted[at] / 1e3, setUps[at] / 1e3));
            start = end;
        }
        shards = List.copyOf(parts);
        makespanMillis = Json.number(head.get("makespan_ms"));
        lowerBoundMillis = Json.number(head.get("lower_bound_ms"));
        gap = Json.number(head.get("gap"));
        Map<String, Object> bound = Json.object(head.get("bound_by"));
        boundBy = bound.get("kind") + " " + bound.get("name");
    }

    /**
     * One shard for each worker, also for one without tests.
     *
     * @return the shards in order of their index
     */
    public List<Shard> shards() {
        return shards;
    }

    /**
     * The predicted time of the longest shard.
     *
     * @return milliseconds
     */
    public double makespanMillis() {
        return makespanMillis;
    }

    /**
     * No assignment to this many workers can be shorter.
     *
     * @return milliseconds
     */
    public double lowerBoundMillis() {
        return lowerBoundMillis;
    }

    /**
     * How far the plan can be from the best one.
     *
     * @return (makespan - lower bound) / lower bound
     */
    public double gap() {
        return gap;
    }

    /**
     * What holds the lower bound up.
     *
     * @return its kind and its name, such as {@code class demo.ATest}
     */
    public String boundBy() {
        return boundBy;
    }
}
