package dev.rasher;

/** The sections of a frame by number: {@code jni-bridge/src/ops/mod.rs}. */
final class Section {
    static final int CONTROL = 1;
    static final int NAMES = 2;
    static final int NAME_ENDS = 3;
    static final int GROUP_OF = 4;
    static final int GROUPS = 5;
    static final int GROUP_ENDS = 6;
    static final int MEAN_US = 7;
    static final int UPPER_US = 8;
    static final int SETUP_US = 9;
    static final int FILES = 10;
    static final int FILE_ENDS = 11;
    static final int SHARD_TESTS = 12;
    static final int SHARD_ENDS = 13;
    static final int DOCUMENT = 14;
    static final int ATTEMPT_TEST = 15;
    static final int ATTEMPT_OUTCOME = 16;
    static final int ATTEMPT_US = 17;
    static final int SHARD_US = 18;
    static final int SHARD_SETUP_US = 19;
    static final int NAMES_LATIN1 = 20;
    static final int GROUPS_LATIN1 = 21;
    static final int PLANS = 22;
    static final int PLAN_ENDS = 23;
    static final int FILE_ROUND = 24;
    static final int BASE_FILES = 25;
    static final int BASE_ENDS = 26;
    static final int HISTORY_FILES = 27;
    static final int HISTORY_ENDS = 28;

    private Section() {}
}
