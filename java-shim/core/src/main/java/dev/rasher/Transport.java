package dev.rasher;

/** How calls reach the engine. */
public enum Transport {
    /** {@link #JNI} where a library is there and native access is allowed, else {@link #PROCESS}. */
    AUTO,
    /** In this process, through the native library. */
    JNI,
    /** Through the command {@code rasher}, one process a call. */
    PROCESS
}
