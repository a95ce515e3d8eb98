package dev.rasher;

/** The operations of the bridge by number: {@code jni-bridge/src/ops/mod.rs}. */
final class Op {
    static final int ABOUT = 1;
    static final int PLAN = 2;
    static final int INGEST = 3;
    static final int FAIL = 4;
    static final int WORKLOAD = 5;
    static final int SHARD = 6;
    static final int VERIFY = 7;
    static final int RETRY = 8;
    static final int VERDICT = 9;
    static final int AGAIN = -2;
    static final int FAULT = -1;

    private Op() {}
}
