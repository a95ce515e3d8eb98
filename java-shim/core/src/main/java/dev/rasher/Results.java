package dev.rasher;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What is known of a run: its plans, its reports, and what a verb is asked beside them. Files are given as bytes; a
 * report that cannot be read is listed in the answer and costs only itself. Not for several threads.
 */
public final class Results {
    private final List<byte[]> plans = new ArrayList<>();
    private final List<byte[]> reports = new ArrayList<>();
    private final List<Integer> attempts = new ArrayList<>();
    private final List<byte[]> base = new ArrayList<>();
    private final List<byte[]> history = new ArrayList<>();
    private final List<String> runs = new ArrayList<>();
    private final List<String> whole = new ArrayList<>();
    private final List<String> before = new ArrayList<>();
    private final Map<String, String> options = new LinkedHashMap<>();

    /** A run of which nothing is known yet. */
    public Results() {}

    /**
     * Adds a plan of the run: the first one, and each of its retries.
     *
     * @param document as {@code rasher plan --out} writes it
     * @return these results
     */
    public Results plan(byte[] document) {
        plans.add(Objects.requireNonNull(document, "document"));
        return this;
    }

    /**
     * Adds a report of the first attempt at the run.
     *
     * @param report the bytes of a file
     * @return these results
     */
    public Results report(byte[] report) {
        return report(1, report);
    }

    /**
     * Adds a report of an attempt at the run.
     *
     * @param attempt which one, from 1
     * @param report the bytes of a file
     * @return these results
     */
    public Results report(int attempt, byte[] report) {
        reports.add(Objects.requireNonNull(report, "report"));
        attempts.add(attempt);
        return this;
    }

    /**
     * Adds a report of the same tests run on the base commit; a verdict looks at it.
     *
     * @param report the bytes of a file
     * @return these results
     */
    public Results base(byte[] report) {
        base.add(Objects.requireNonNull(report, "report"));
        return this;
    }

    /**
     * Adds an earlier run, from which a retry learns how long tests take, and a retry and a verdict how flaky they are:
     * as if it had been recorded by {@code rasher record --run RUN --branch BRANCH --at AT}.
     *
     * @param run its name; a run under judgement is not counted as an earlier one
     * @param branch such as {@code main}, whose runs alone teach flakiness where there are any; null where unknown
     * @param at when it was
     * @param reports the bytes of its files; one that is no report is refused
     * @return these results
     */
    public Results history(String run, String branch, Instant at, List<byte[]> reports) {
        history.addAll(reports);
        runs.add("{\"run\":" + Json.quote(run) + ",\"branch\":" + (branch == null ? "null" : Json.quote(branch))
                + ",\"at\":" + Json.quote(at.toString()) + ",\"reports\":" + reports.size() + '}');
        return this;
    }

    /**
     * Says that a test needs another one before it: a retry runs both, on one shard and in this order.
     *
     * @param test the one that needs
     * @param first the one that must run before it; both must be planned
     * @return these results
     */
    public Results needs(String test, String first) {
        before.add('[' + Json.quote(first) + ',' + Json.quote(test) + ']');
        return this;
    }

    /**
     * Says that a class is ordered or stateful: a retry runs it whole or not at all.
     *
     * @param group the class or file
     * @return these results
     */
    public Results whole(String group) {
        whole.add(Json.quote(group));
        return this;
    }

    /**
     * Sets an option of the verb, in the words of the command with {@code _} for {@code -}: {@code mode},
     * {@code max_tests}, {@code p_real_max}. One that the verb does not know is refused by it.
     *
     * @param name such as {@code mode}
     * @param value such as {@code replay}, or a duration such as {@code 4m30s}
     * @return these results
     */
    public Results option(String name, String value) {
        options.put(name, Json.quote(value));
        return this;
    }

    /**
     * Sets an option of the verb that is a number.
     *
     * @param name such as {@code shards}
     * @param value such as 4
     * @return these results
     */
    public Results option(String name, Number value) {
        options.put(name, value.toString());
        return this;
    }

    /**
     * Sets an option of the verb that is on or off.
     *
     * @param name such as {@code accept_unknown}
     * @param value whether it is on
     * @return these results
     */
    public Results option(String name, boolean value) {
        options.put(name, String.valueOf(value));
        return this;
    }

    /** These results as the columns of a request. */
    FrameWriter request() {
        List<String> fields = new ArrayList<>();
        options.forEach((name, value) -> fields.add(Json.quote(name) + ":" + value));
        if (!runs.isEmpty()) {
            fields.add("\"history\":" + runs);
        }
        if (!whole.isEmpty()) {
            fields.add("\"whole\":" + whole);
        }
        if (!before.isEmpty()) {
            fields.add("\"constraints\":{\"before\":" + before + '}');
        }
        int[] rounds = attempts.stream().mapToInt(Integer::intValue).toArray();
        return new FrameWriter()
                .control("{" + String.join(",", fields) + "}")
                .blobs(Section.PLANS, Section.PLAN_ENDS, plans)
                .blobs(Section.FILES, Section.FILE_ENDS, reports)
                .ints(Section.FILE_ROUND, rounds, rounds.length)
                .blobs(Section.BASE_FILES, Section.BASE_ENDS, base)
                .blobs(Section.HISTORY_FILES, Section.HISTORY_ENDS, history);
    }
}
