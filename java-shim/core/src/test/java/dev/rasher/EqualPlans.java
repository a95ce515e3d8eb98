package dev.rasher;

import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Plans random workloads through the library and through the command, and compares the documents byte for byte. With a
 * file it also writes each request and its document there, for {@code jni-bridge/examples/equal_plans.rs} to plan by
 * the crate alone.
 */
final class EqualPlans {
    private static final String[] ODD = {"", "", "", "é", "?", "\u4e2d", "\n", "\"\\", "\ud83d\ude00"};

    private EqualPlans() {}

    public static void main(String[] args) throws IOException {
        int inputs = Integer.parseInt(args[0]);
        byte[][] documents = new byte[inputs][];
        int different = compare(inputs, documents);
        try (OutputStream file = Files.newOutputStream(Path.of(args[1]));
                DataOutputStream out = new DataOutputStream(new java.io.BufferedOutputStream(file))) {
            for (int input = 0; input < inputs; input++) {
                write(out, workload(input).columns(true).control(control(input)).finish(Op.PLAN));
                write(out, documents[input]);
            }
        }
        System.out.println(inputs + " inputs, " + different + " of them with a plan of the command that differs");
        System.exit(different == 0 ? 0 : 1);
    }

    private static void write(DataOutputStream out, byte[] bytes) throws IOException {
        out.writeInt(Integer.reverseBytes(bytes.length));
        out.write(bytes);
    }

    /** How many of the inputs get different documents. */
    static int compare(int inputs, byte[][] documents) {
        Rasher library = Rasher.open(Transport.JNI);
        Rasher command = Rasher.open(Transport.PROCESS);
        return IntStream.range(0, inputs).parallel().map(input -> {
            documents[input] = library.planDocument(workload(input), shards(input), environment(input));
            byte[] other = command.planDocument(workload(input), shards(input), environment(input));
            if (Arrays.equals(documents[input], other)) {
                return 0;
            }
            System.err.println("input " + input + ": the plans differ");
            return 1;
        }).sum();
    }

    private static int shards(int input) {
        return 1 + new Random(input).nextInt(input % 10 == 0 ? 60 : 9);
    }

    private static String environment(int input) {
        return "env" + ODD[input % ODD.length];
    }

    private static String control(int input) {
        return Prepared.control(shards(input), environment(input));
    }

    /** Few tests or hundreds, in any order, alone or in classes, alike or very different, with and without set-up. */
    static Workload workload(int input) {
        Random random = new Random(input);
        int tests = random.nextInt(input % 10 == 0 ? 600 : 40);
        int classes = 1 + random.nextInt(1 + tests / 3);
        int micros = new int[] {1, 50, 90_000, Integer.MAX_VALUE}[random.nextInt(4)];
        boolean hasSetUp = random.nextBoolean();
        boolean hasUpper = random.nextBoolean();
        String odd = ODD[random.nextInt(ODD.length)];
        Workload workload = new Workload();
        int[] order = random.ints(tests).toArray();
        for (int at = 0; at < tests; at++) {
            String group = random.nextInt(5) == 0 ? null : "demo." + odd + "C" + random.nextInt(classes);
            String id = (group == null ? "alone" : group) + "#" + odd + Integer.toHexString(order[at]) + at;
            long mean = random.nextInt(micros);
            workload.add(id, group, mean, hasUpper ? mean + random.nextInt(micros) : mean);
            if (group != null && hasSetUp) {
                workload.setUp(group, random.nextInt(micros));
            }
        }
        return workload;
    }
}
