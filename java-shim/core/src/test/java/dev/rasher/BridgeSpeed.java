package dev.rasher;

import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Random;

/**
 * Prints what 50,000 tests cost through the bridge, as thread CPU time: {@code first} in this fresh JVM, {@code warm}
 * as the median of 200 calls. {@code plan} is the whole call with its answer, {@code call} leaves the answer unread, and
 * {@code encode} is the part of it that Java spends on the request.
 */
final class BridgeSpeed {
    private static final int TESTS = 50_000;

    private BridgeSpeed() {}

    public static void main(String[] args) {
        Workload workload = new Workload();
        Random random = new Random(1);
        for (int at = 0; at < TESTS; at++) {
            String group = String.format("com.example.product.module%03d.feature.SomethingUsefulTest%04d", at / 900, at / 18);
            workload.add(String.format("%s#testThatItDoesIt%05d", group, at), group, 1_000 + random.nextInt(2_000_000));
        }
        Rasher rasher = Rasher.open(Transport.JNI);
        System.out.printf("first plan %.1f ms%n", time(() -> rasher.plan(workload, 200)));
        print("plan", () -> rasher.plan(workload, 200));
        print("call", () -> Native.call(workload.request("{\"shards\":200}").finish()));
        print("encode", () -> workload.request("{\"shards\":200}").finish());
    }

    private static void print(String name, Runnable call) {
        for (int round = 0; round < 60; round++) {
            call.run();
        }
        double[] times = new double[200];
        for (int round = 0; round < times.length; round++) {
            times[round] = time(call);
        }
        Arrays.sort(times);
        System.out.printf("warm %s %.2f ms%n", name, times[times.length / 2]);
    }

    private static double time(Runnable call) {
        var thread = ManagementFactory.getThreadMXBean();
        long start = thread.getCurrentThreadCpuTime();
        call.run();
        return (thread.getCurrentThreadCpuTime() - start) / 1e6;
    }
}
