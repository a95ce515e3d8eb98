package dev.rasher;

import java.util.Arrays;

/** The tests of one worker. */
public final class Shard {
    private final int index;
    private final int[] tests;
    private final double predictedMillis;
    private final double setUpMillis;

    Shard(int index, int[] tests, double predictedMillis, double setUpMillis) {
        this.index = index;
        this.tests = tests;
        this.predictedMillis = predictedMillis;
        this.setUpMillis = setUpMillis;
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
     * The tests in the order in which to run them.
     *
     * @return places in the workload, from 0
     */
    public int[] tests() {
        return Arrays.copyOf(tests, tests.length);
    }

    /**
     * The predicted time of the whole shard, set-ups included.
     *
     * @return milliseconds
     */
    public double predictedMillis() {
        return predictedMillis;
    }

    /**
     * The part of the predicted time that is set-up of classes.
     *
     * @return milliseconds
     */
    public double setUpMillis() {
        return setUpMillis;
    }
}
