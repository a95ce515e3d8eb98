package dev.rasher;

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Plans the inputs of {@code jni-bridge/examples/equal_plans.rs} through the library and through the command, and
 * writes the documents for it to compare: for each input the length of its document and its bytes.
 */
final class EqualPlans {
    private EqualPlans() {}

    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[0]);
        List<String> inputs = Files.readAllLines(folder.resolve("inputs.jsonl"));
        write(folder.resolve("jni"), inputs, Rasher.open(Transport.JNI));
        write(folder.resolve("process"), inputs, Rasher.open(Transport.PROCESS));
    }

    private static void write(Path file, List<String> inputs, Rasher rasher) throws IOException {
        List<byte[]> documents = IntStream.range(0, inputs.size()).parallel()
                .mapToObj(at -> plan(rasher, Json.object(Json.parse(inputs.get(at))), at)).collect(Collectors.toList());
        try (DataOutputStream out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file)))) {
            for (byte[] document : documents) {
                out.writeInt(document.length);
                out.write(document);
            }
        }
    }

    /** Tests are added in an order of Java's own, which a plan does not depend on. */
    private static byte[] plan(Rasher rasher, Map<String, Object> input, int seed) {
        List<Object> tests = new ArrayList<>(Json.list(input.get("tests")));
        Collections.shuffle(tests, new Random(seed));
        Workload workload = new Workload();
        for (Object test : tests) {
            List<Object> row = Json.list(test);
            workload.add((String) row.get(0), (String) row.get(1), micros(row.get(2)), micros(row.get(3)));
        }
        for (Object setUp : Json.list(input.get("setups"))) {
            List<Object> row = Json.list(setUp);
            workload.setUp((String) row.get(0), micros(row.get(1)));
        }
        return rasher.planDocument(workload, (int) micros(input.get("shards")), (String) input.get("environment"));
    }

    private static long micros(Object number) {
        return (long) Json.number(number);
    }
}
