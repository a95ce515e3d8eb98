package dev.rasher;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * Prints what 50,000 tests cost through the bridge, in milliseconds of this thread's CPU time.
 *
 * <p>{@code crossing} is what the bridge itself costs: from Java strings and numbers to columns that the engine owns,
 * names told apart and in order, and an answer back that proves it. {@code planning} plans columns that have crossed
 * already, its answer read. {@code whole} is one call that does both, as {@link Rasher#plan} does. {@code first} is the
 * first call in a fresh JVM, the median of seven; {@code warm} the median of 200 calls after 60.
 */
final class BridgeSpeed {
    private static final int TESTS = 50_000;
    private static final int SHARDS = 200;

    private BridgeSpeed() {}

    public static void main(String[] args) throws Exception {
        Rasher rasher = Rasher.open(Transport.JNI);
        if (args.length > 0) {
            Workload workload = workload(false);
            Runnable call = args[0].equals("crossing") ? () -> cross(workload) : () -> rasher.plan(workload, SHARDS);
            System.out.println(time(call));
            return;
        }
        print("first crossing", first("crossing"));
        print("first whole", first("whole"));
        Workload workload = workload(false);
        print("warm crossing", warm(() -> cross(workload)));
        print("  of it Java's encoding", warm(() -> workload.columns(false)));
        try (Prepared prepared = rasher.prepare(workload)) {
            print("warm planning", warm(() -> prepared.plan(SHARDS)));
        }
        print("warm whole", warm(() -> rasher.plan(workload, SHARDS)));
        Workload shuffled = workload(true);
        print("warm crossing, tests in any order", warm(() -> cross(shuffled)));
    }

    private static Workload workload(boolean shuffled) {
        List<Integer> order = new ArrayList<>();
        for (int at = 0; at < TESTS; at++) {
            order.add(at);
        }
        if (shuffled) {
            Collections.shuffle(order, new Random(2));
        }
        Workload workload = new Workload();
        Random random = new Random(1);
        for (int at : order) {
            String group = String.format("com.example.product.module%03d.feature.SomethingUsefulTest%04d", at / 900, at / 18);
            workload.add(String.format("%s#testThatItDoesIt%05d", group, at), group, 1_000 + random.nextInt(2_000_000));
        }
        return workload;
    }

    private static void cross(Workload workload) {
        FrameWriter request = workload.columns(false).seal(Op.WORKLOAD);
        Object tests = FrameReader.of(Native.call(request.array(), request.length())).control().get("tests");
        if (Json.number(tests) != TESTS) {
            throw new IllegalStateException("not all crossed: " + tests);
        }
    }

    private static double first(String what) throws Exception {
        List<String> line = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        line.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        line.addAll(List.of("-cp", System.getProperty("java.class.path"), BridgeSpeed.class.getName(), what));
        double[] times = new double[7];
        for (int round = 0; round < times.length; round++) {
            Process child = new ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.DISCARD).start();
            try (BufferedReader out = new BufferedReader(new InputStreamReader(child.getInputStream()))) {
                times[round] = Double.parseDouble(out.readLine());
            }
            child.waitFor();
        }
        return median(times);
    }

    private static double warm(Runnable call) {
        for (int round = 0; round < 60; round++) {
            call.run();
        }
        double[] times = new double[200];
        for (int round = 0; round < times.length; round++) {
            times[round] = time(call);
        }
        return median(times);
    }

    private static double time(Runnable call) {
        var thread = ManagementFactory.getThreadMXBean();
        long start = thread.getCurrentThreadCpuTime();
        call.run();
        return (thread.getCurrentThreadCpuTime() - start) / 1e6;
    }

    private static double median(double[] times) {
        Arrays.sort(times);
        return times[times.length / 2];
    }

    private static void print(String what, double millis) {
        System.out.printf(Locale.ROOT, "%-36s %6.2f ms%n", what, millis);
    }
}
