package dev.rasher;

/** The native methods, all of them. The library exports nothing else. */
final class Native {
    private Native() {}

    static native int abi();

    static native byte[] call(byte[] request);
}
