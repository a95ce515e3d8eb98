package dev.rasher;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What reports tell: one entry for each execution of a test. */
public final class Attempts {
    private static final String[] OUTCOMES = {
        "passed", "failed", "errored", "timed_out", "crashed", "set_up_failed", "skipped", "not_run"
    };

    private final List<String> tests;
    private final int[] testOf;
    private final byte[] outcomes;
    private final long[] micros;
    private final List<String> problems = new ArrayList<>();

    Attempts(FrameReader answer) {
        tests = answer.strings(Section.NAMES, Section.NAME_ENDS);
        testOf = answer.ints(Section.ATTEMPT_TEST);
        outcomes = answer.bytes(Section.ATTEMPT_OUTCOME);
        micros = answer.longs(Section.ATTEMPT_US);
        for (Object told : Json.list(answer.control().get("problems"))) {
            problems.add(Document.problem(Json.object(told)));
        }
    }

    /**
     * How many attempts there are.
     *
     * @return zero or more
     */
    public int size() {
        return testOf.length;
    }

    /**
     * Which test an attempt ran.
     *
     * @param index the attempt, from 0
     * @return the test's id
     */
    public String test(int index) {
        return tests.get(testOf[index]);
    }

    /**
     * How an attempt ended.
     *
     * @param index the attempt, from 0
     * @return {@code passed}, {@code failed}, {@code errored}, {@code timed_out}, {@code crashed},
     *     {@code set_up_failed}, {@code skipped} or {@code not_run}
     */
    public String outcome(int index) {
        int code = outcomes[index] & 0xff;
        return code < OUTCOMES.length ? OUTCOMES[code] : "unknown";
    }

    /**
     * How long an attempt took.
     *
     * @param index the attempt, from 0
     * @return microseconds, or -1 where the report does not say
     */
    public long micros(int index) {
        return micros[index];
    }

    /**
     * All tests, as the JSON list that {@code rasher plan --tests} reads. A row about a class as a whole is left out
     * where tests of the class are there: a class whose set-up succeeds has no such row.
     *
     * @return each test once
     */
    public String testList() {
        Set<String> classes = new HashSet<>();
        tests.forEach(test -> classes.add(test.indexOf('#') < 0 ? "" : test.substring(0, test.indexOf('#'))));
        List<String> quoted = new ArrayList<>();
        tests.stream().filter(test -> !classes.contains(test)).forEach(test -> quoted.add(Json.quote(test)));
        return "[" + String.join(",", quoted) + "]";
    }

    /**
     * What could not be read.
     *
     * @return a sentence each, with the file by its place from 0
     */
    public List<String> problems() {
        return List.copyOf(problems);
    }
}
