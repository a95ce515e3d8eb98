package dev.rasher;

/** The native methods, all of them. The library exports nothing else. */
final class Native {
    private Native() {}

    static native int abi();

    /** Answers the request in the first bytes of an array. */
    static native byte[] call(byte[] request, int length);

    /** Takes a workload over; the answer holds its handle. */
    static native byte[] open(byte[] request, int length);

    /** Answers a request about a workload that was taken over. */
    static native byte[] callOn(long handle, byte[] request, int length);

    /** Lets a workload go; false where it was not open. */
    static native boolean close(long handle);
}
