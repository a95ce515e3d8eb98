package dev.rasher;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
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
    void engineCommandAndJavaHaveOneTableOfTrouble() {
        Map<Integer, String> engine = new TreeMap<>();
        for (Object told : Json.list(rasher.about().get("kinds"))) {
            Map<String, Object> kind = Json.object(told);
            engine.put((int) Json.number(kind.get("exit_code")), String.valueOf(kind.get("exception")));
        }
        Map<Integer, String> java = new TreeMap<>();
        for (int code = 0; code < 256; code++) {
            RasherException exception = RasherException.of(code, "");
            assertEquals(code, exception.exitCode());
            if (exception.getClass() != RasherException.class) {
                java.put(code, exception.getClass().getSimpleName());
            }
        }
        assertEquals(engine, java);
        for (Transport transport : new Transport[] {Transport.JNI, Transport.PROCESS}) {
            Rasher asked = Rasher.open(transport);
            engine.forEach((code, name) -> {
                RasherException thrown =
                        assertThrows(RasherException.class, () -> asked.fail("{\"exit_code\":" + code + "}"));
                assertEquals(name, thrown.getClass().getSimpleName());
                assertEquals(code, thrown.exitCode());
            });
        }
        // The command ends with the same codes: wrong usage, and a file that is not there.
        Path here = Path.of("").toAbsolutePath();
        assertThrows(RasherException.UsageException.class, () -> Rasher.run(here, List.of("no-such-verb")).orThrow());
        assertThrows(RasherException.StoreException.class,
                () -> Rasher.run(here, List.of("shard", "1/2", "--plan", "no/such/plan.json")).orThrow());
    }

    @Test
    void aPanicArrivesWithItsMessageAndItsPlaceAndTheNextCallWorks() {
        for (int round = 0; round < 100; round++) {
            String message = "round " + round;
            RasherException thrown = assertThrows(RasherException.DefectException.class,
                    () -> rasher.fail("{\"panic\":\"" + message + "\"}"));
            assertTrue(thrown.getMessage().contains(message), thrown.getMessage());
            assertTrue(thrown.getMessage().contains("ops/mod.rs:"), thrown.getMessage());
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
        byte[] whole = workload(random, 9).columns(true).control("{\"shards\":2}").finish(Op.PLAN);
        for (int round = 0; round < 2_000; round++) {
            byte[] bytes = whole.clone();
            for (int change = 0; change <= random.nextInt(4); change++) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            int length = random.nextInt(3) == 0 ? random.nextInt(bytes.length) : bytes.length;
            FrameReader called = new FrameReader(Native.call(bytes, length));
            FrameReader opened = new FrameReader(Native.open(bytes, length));
            assertTrue(called.operation() == Op.PLAN || called.operation() == Op.FAULT);
            assertEquals(Op.FAULT, opened.operation());
        }
        assertThrows(RuntimeException.class, () -> Native.call(null, 0));
        // A length that is not the array's is cut to it, and none is a frame that is cut.
        for (int length : new int[] {-1, 0, 15, 17}) {
            assertEquals(Op.FAULT, new FrameReader(Native.call(whole, length)).operation());
        }
        assertEquals(Op.PLAN, new FrameReader(Native.call(whole, Integer.MAX_VALUE)).operation());
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
    void aPreparedWorkloadIsPlannedAsIfItCrossedAgainUntilItIsClosed() {
        for (Transport transport : new Transport[] {Transport.JNI, Transport.PROCESS}) {
            Rasher engine = Rasher.open(transport);
            Workload workload = workload(new Random(3), 90);
            Prepared prepared = engine.prepare(workload);
            byte[] expected = rasher.planDocument(workload, 4, "e");
            workload.add("later", null, 1);
            for (int round = 0; round < 3; round++) {
                assertArrayEquals(expected, prepared.planDocument(4, "e"));
            }
            assertEquals(4, prepared.plan(4).shards().size());
            assertThrows(RasherException.UsageException.class, () -> prepared.plan(0));
            prepared.close();
            prepared.close();
            RasherException thrown = assertThrows(RasherException.UsageException.class, () -> prepared.plan(4));
            assertTrue(thrown.getMessage().contains("is not open"), thrown.getMessage());
            Workload doubled = new Workload().add("a", null, 1).add("a", null, 1);
            assertThrows(RasherException.UsageException.class, () -> engine.prepare(doubled));
        }
    }

    @Test
    void staleAndForeignHandlesAreRefused() {
        FrameWriter workload = workload(new Random(3), 9).columns(true).seal(Op.WORKLOAD);
        List<Long> closed = new java.util.ArrayList<>(List.of(0L, 1L, -1L, Long.MIN_VALUE, 1L << 40));
        byte[] plan = new FrameWriter().control("{\"shards\":2}").finish(Op.PLAN);
        for (int round = 0; round < 50; round++) {
            FrameReader opened = FrameReader.of(Native.open(workload.array(), workload.length()));
            long handle = Long.parseLong((String) opened.control().get("handle"));
            assertEquals(Op.PLAN, new FrameReader(Native.callOn(handle, plan, plan.length)).operation());
            assertTrue(Native.close(handle));
            closed.add(handle);
            for (long stale : closed) {
                assertFalse(Native.close(stale));
                assertEquals(Op.FAULT, new FrameReader(Native.callOn(stale, plan, plan.length)).operation());
            }
        }
    }

    @Test
    void threadsMayCloseWhatOthersPlan() {
        byte[] expected = rasher.planDocument(workload(new Random(5), 200), 3, "e");
        for (int round = 0; round < 20; round++) {
            Prepared prepared = rasher.prepare(workload(new Random(5), 200));
            IntStream.range(0, 8).parallel().forEach(at -> {
                try {
                    assertArrayEquals(expected, prepared.planDocument(3, "e"));
                } catch (RasherException.UsageException closed) {
                    assertTrue(closed.getMessage().contains("is not open"), closed.getMessage());
                }
                prepared.close();
            });
        }
    }

    @Test
    void namesThatAreNotAsciiKeepTheirEnds() {
        List<String> names = new java.util.ArrayList<>();
        Random random = new Random(11);
        for (int at = 0; at < 3_000; at++) {
            String tail = new String[] {"", "é", "\u4e2d", "\ud83d\ude00", "\ud800", "\udc00"}[random.nextInt(6)];
            names.add((at > 1_000 && at < 2_000 ? "x" : tail) + "t" + at + (random.nextBoolean() ? tail : ""));
        }
        Workload workload = new Workload();
        names.forEach(name -> workload.add(name.replaceAll("[\ud800-\udfff]", "?"), null, 1));
        assertEquals(3_000, rasher.plan(workload, 1).shards().get(0).tests().length);
        byte[] frame = new FrameWriter().strings(Section.NAMES, Section.NAME_ENDS, names).finish(Op.WORKLOAD);
        List<String> expected = new java.util.ArrayList<>();
        names.forEach(name -> expected.add(new String(name.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8)));
        assertEquals(expected, new FrameReader(frame).strings(Section.NAMES, Section.NAME_ENDS));
    }

    @Test
    void namesCrossWholeWhateverCharactersTheyHold() {
        for (String odd : List.of("", "é", "\u00ff", "?", "\u4e2d", "\ud83d\ude00", "\u0000")) {
            Workload workload = new Workload();
            for (int at = 0; at < 50; at++) {
                workload.add("t" + odd + at, "g" + odd + at % 7, 1_000 + at).setUp("g" + odd + at % 7, at);
            }
            String document = new String(rasher.planDocument(workload, 3, odd), StandardCharsets.UTF_8);
            String name = Json.quote("t" + odd + 7);
            assertTrue(document.contains(name), name);
            Prepared prepared = rasher.prepare(workload);
            assertEquals(document, new String(prepared.planDocument(3, odd), StandardCharsets.UTF_8));
        }
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
