package demo;

import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Disabled;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlainTest {
    /** Fails until the file is there: what a flaky test looks like to a retry. */
    private static boolean isMended() {
        return new java.io.File(System.getProperty("mended", "/nonexistent")).exists();
    }

    @Test
    void adds() {}

    @Test
    @DisplayName("a name, with (brackets) [and] more")
    void named() {}

    @Test
    void flaky() {
        Assertions.assertTrue(isMended());
    }

    @Test
    @Disabled("no")
    void off() {}

    @Test
    void aborts() {
        Assumptions.assumeTrue(false, "not here");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void sized(int size) {
        Assertions.assertTrue(size == 1 || isMended());
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\nb", "c#d"})
    void text(String text) {}

    @RepeatedTest(2)
    void again() {}

    @TestFactory
    Stream<DynamicNode> made() {
        return Stream.of(DynamicTest.dynamicTest("one", () -> {}),
                DynamicContainer.dynamicContainer("box", Stream.of(DynamicTest.dynamicTest("two", () -> {}))));
    }

    @Nested
    class Inner {
        @Test
        void deep() {}
    }
}
