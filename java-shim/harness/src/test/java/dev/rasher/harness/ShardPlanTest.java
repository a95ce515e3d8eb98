package dev.rasher.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;

class ShardPlanTest {
    private static ShardPlan plan(int index, int count, String kind, String... lines) {
        return ShardPlan.parse(file(index, count, kind, lines), null);
    }

    private static byte[] file(int index, int count, String kind, String... lines) {
        StringBuilder body = new StringBuilder("rasher-shard 1\nplan p\nshard " + index + ' ' + count + ' ' + kind + '\n');
        for (String line : lines) {
            body.append(line).append('\n');
        }
        CRC32 crc = new CRC32();
        crc.update(body.toString().getBytes(StandardCharsets.UTF_8));
        return (body + String.format("end %08x\n", crc.getValue())).getBytes(StandardCharsets.UTF_8);
    }

    private static String known(String name) {
        return "known " + Long.toHexString(Hash64.of(name));
    }

    @Test
    void aClassRunsWhereItIsPlanned() {
        ShardPlan plan = plan(1, 2, "plan", "class d.A", known("d.B"));
        assertTrue(plan.takesClass("d.A"));
        assertTrue(plan.takesClass("d.A$Inner"));
        assertFalse(plan.takesClass("d.B"));
        assertFalse(plan.takesClass("d.B$Inner"));
        assertTrue(plan.takesMethod("d.A", List.of("written later")));
        assertEquals(Set.of("d.A"), Set.copyOf(plan.classes()));
    }

    @Test
    void whatIsPlannedNowhereRunsOnExactlyOneShard() {
        for (int at = 0; at < 500; at++) {
            String name = "d.New" + at;
            long takers = IntStream.rangeClosed(1, 7)
                    .filter(shard -> plan(shard, 7, "plan", known("d.B")).takesClass(name)).count();
            assertEquals(1, takers, name);
        }
    }

    @Test
    void aSharedClassIsTakenApartByItsMethods() {
        ShardPlan mine = plan(1, 2, "plan", "split new d.A", "here #adds", "there #fails", "here $In#deep");
        ShardPlan other = plan(2, 2, "plan", "split old d.A", "there #adds", "here #fails", "there $In#deep");
        for (String[] method : new String[][] {
            {"d.A", "adds"}, {"d.A", "adds(int)[1]"}, {"d.A", "fails()"}, {"d.A$In", "deep"}, {"d.A", "later"}
        }) {
            boolean here = mine.takesMethod(method[0], List.of(method[1]));
            assertEquals(!here, other.takesMethod(method[0], List.of(method[1])), method[1]);
            assertEquals(!method[1].startsWith("fails"), here, method[1]);
        }
        // A name that the plan knows goes before one that it does not, in the order of the names.
        assertFalse(mine.takesMethod("d.A", List.of("renamed", "fails")));
    }

    @Test
    void aRetryRunsNothingButWhatIsPlanned() {
        ShardPlan retry = plan(1, 1, "retry", "split new d.A", "here #adds");
        assertTrue(retry.takesMethod("d.A", List.of("adds")));
        assertFalse(retry.takesMethod("d.A", List.of("later")));
        assertFalse(retry.takesClass("d.New"));
    }

    @Test
    void modulesWithEqualClassesAreToldApart() {
        byte[] file = file(1, 2, "plan", "class core:d.A", known("web:d.A"), "class d.B");
        assertTrue(ShardPlan.parse(file, "core").takesClass("d.A$In"));
        assertFalse(ShardPlan.parse(file, "web").takesClass("d.A"));
        assertTrue(ShardPlan.parse(file, "web").takesClass("d.B"));
    }

    @Test
    void anyDamageIsNoticed() {
        byte[] file = file(1, 2, "plan", "class d.A", "split old d.B", "here #x", known("d.C"));
        for (int at = 0; at < file.length; at++) {
            byte[] changed = file.clone();
            changed[at] ^= 1;
            assertThrows(IllegalArgumentException.class, () -> ShardPlan.parse(changed, null), "byte " + at);
            byte[] cut = java.util.Arrays.copyOf(file, at);
            assertThrows(IllegalArgumentException.class, () -> ShardPlan.parse(cut, null), "cut at " + at);
        }
        assertEquals("p", ShardPlan.parse(file, null).id());
    }

    @Test
    void namesWithLineEndsComeBack() {
        ShardPlan plan = plan(1, 1, "retry", "split new d.A", "here #a\\nb\\\\");
        assertTrue(plan.takesMethod("d.A", List.of("a\nb\\")));
    }

    @Test
    void theHashIsThatOfTheCommand() {
        assertEquals(0x681fb2f96b69c513L, Hash64.of("demo.ATest"));
    }
}
