package dev.rasher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BridgeTest {
    private final Rasher rasher = Rasher.open(Transport.JNI);

    private static Workload workload(Random random, int tests) {
        Workload workload = new Workload();
        for (int at = 0; at < tests; at++) {
            String group = random.nextInt(4) == 0 ? null : "demo.C" + random.nextInt(1 + tests / 5);
            workload.add("demo.é#t" + at, group, random.nextInt(5_000_000), 5_000_000);
            if (group != null) {
                workload.setUp(group, random.nextInt(1_000_000));
            }
        }
        return workload;
    }

    @Test
    void everyTestLandsInExactlyOneShard() {
        for (int round = 0; round < 200; round++) {
            Random random = new Random(round);
            Workload workload = workload(random, random.nextInt(60));
            Plan plan = rasher.plan(workload, 1 + random.nextInt(8));
            int[] places = plan.shards().stream().flatMapToInt(shard -> IntStream.of(shard.tests())).sorted().toArray();
            assertEquals(workload.size(), places.length);
            for (int at = 0; at < places.length; at++) {
                assertEquals(at, places[at]);
            }
            assertTrue(plan.makespanMillis() >= plan.lowerBoundMillis());
        }
    }

    @Test
    void everyKindOfTroubleArrivesAsItsException() {
        for (int code : new int[] {1, 2, 3, 4, 5, 6, 70}) {
            RasherException thrown =
                    assertThrows(RasherException.class, () -> rasher.fail("{\"exit_code\":" + code + "}"));
            assertEquals(code, thrown.exitCode());
            assertEquals(RasherException.of(code, "").getClass(), thrown.getClass());
            assertFalse(thrown.getClass().equals(RasherException.class));
        }
        assertEquals(99, RasherException.of(99, "later").exitCode());
    }

    @Test
    void aPanicArrivesWithItsMessageAndItsPlaceAndTheNextCallWorks() {
        for (int round = 0; round < 100; round++) {
            String message = "round " + round;
            RasherException thrown = assertThrows(RasherException.DefectException.class,
                    () -> rasher.fail("{\"panic\":\"" + message + "\"}"));
            assertTrue(thrown.getMessage().contains(message), thrown.getMessage());
            assertTrue(thrown.getMessage().contains("ops.rs:"), thrown.getMessage());
        }
        everyTestLandsInExactlyOneShard();
    }

    @Test
    void wrongInputSaysWhatIsWrong() {
        Workload doubled = new Workload().add("a", null, 1).add("b", null, 1).add("a", null, 1);
        RasherException thrown = assertThrows(RasherException.UsageException.class, () -> rasher.plan(doubled, 2));
        assertEquals("tests 0 and 2 have the same id", thrown.getMessage());
        // A lone surrogate has no UTF-8: two of them become one id and are refused, never mixed up.
        Workload broken = new Workload().add("a\ud800", null, 1).add("a\ud801", null, 1);
        assertThrows(RasherException.UsageException.class, () -> rasher.plan(broken, 2));
        assertThrows(RasherException.UsageException.class, () -> rasher.plan(new Workload(), 0));
        assertThrows(RasherException.UsageException.class, () -> new Workload().add("a", null, -1));
    }

    @Test
    void anyBytesAreAnswered() {
        Random random = new Random(1);
        byte[] whole = workload(random, 9).request("{\"shards\":2}").finish();
        for (int round = 0; round < 2_000; round++) {
            byte[] bytes = whole.clone();
            for (int change = 0; change <= random.nextInt(4); change++) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            int length = random.nextInt(3) == 0 ? random.nextInt(bytes.length) : bytes.length;
            new FrameReader(Native.call(java.util.Arrays.copyOf(bytes, length)));
        }
        assertThrows(RuntimeException.class, () -> Native.call(null));
    }

    @Test
    void threadsDoNotDisturbEachOther() {
        byte[] expected = rasher.planDocument(workload(new Random(7), 300), 5, "e");
        AtomicInteger equal = new AtomicInteger();
        IntStream.range(0, 64).parallel().forEach(at -> {
            byte[] document = rasher.planDocument(workload(new Random(7), 300), 5, "e");
            equal.addAndGet(java.util.Arrays.equals(expected, document) ? 1 : 0);
        });
        assertEquals(64, equal.get());
    }

    @Test
    void reportsBecomeAttempts() {
        String xml = "<testsuite name=\"d.A\" tests=\"2\" time=\"1\"><testcase classname=\"d.A\" name=\"a\" time=\"0.5\"/>"
                + "<testcase classname=\"d.A\" name=\"b\" time=\"0.1\"><failure/></testcase></testsuite>";
        Attempts attempts = rasher.read(List.of(xml.getBytes(StandardCharsets.UTF_8), new byte[] {1, 2}));
        assertEquals(2, attempts.size());
        assertEquals("d.A#a", attempts.test(0));
        assertEquals("passed", attempts.outcome(0));
        assertEquals(500_000, attempts.micros(0));
        assertEquals("failed", attempts.outcome(1));
        assertEquals(1, attempts.problems().size());
        assertTrue(attempts.problems().get(0).startsWith("file 1"));
    }

    @Test
    void jsonIsReadAsItIsWritten() {
        Object value = Json.parse("{\"a\":[1,-2.5e3,true,null,\"\\u00e9\\n\\\"\"],\"b\":{}}");
        assertEquals("{a=[1.0, -2500.0, true, null, é\n\"], b={}}", value.toString());
        for (String broken : List.of("", "{", "[1,", "\"a", "{\"a\"}", "nul", "[1]x", "[".repeat(99))) {
            assertThrows(RasherException.DefectException.class, () -> Json.parse(broken), broken);
        }
    }
}
