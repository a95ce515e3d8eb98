package dev.rasher.harness;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A test is called the same in every JVM. */
class NamingTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "[3] RandomUtils [random=java.util.concurrent.ThreadLocalRandom@5b251fb9] | "
                + "[3] RandomUtils [random=java.util.concurrent.ThreadLocalRandom@]",
        "[1] a.Test$$Lambda$3767/0x00007f05d9465ec8@d944e2f | [1] a.Test$$Lambda@",
        "[1] a.Test$$Lambda/0x00007f05d9465ec8@d944e2f, 7 | [1] a.Test$$Lambda@, 7",
        "[1] [Ljava.lang.String;@1b2c3d4e | [1] [Ljava.lang.String;@",
        "[2] jdk.proxy2.$Proxy17@5b251fb9 | [2] jdk.proxy2.$Proxy@",
        "t[a.Shape$MockitoMock$1873453@5b251fb9] | t[a.Shape$MockitoMock$@]",
        // Nothing of these differs from run to run.
        "[1] someone@facade.com | [1] someone@facade.com",
        "[1] @Tag deadbeef | [1] @Tag deadbeef",
        "[1] a@b | [1] a@b",
        "costs $100 | costs $100",
        "sized(int)[2] | sized(int)[2]",
    })
    void dropsWhatDiffersFromRunToRun(String name, String stable) {
        assertEquals(stable, Naming.stable(name));
        assertEquals(stable, Naming.GRADLE.name(name, "any"));
        assertEquals(stable, Naming.SUREFIRE.name("any", name));
    }
}
