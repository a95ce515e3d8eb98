package kinds;

import java.net.URI;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Invocations that print one name, of which some fail. */
class SameNamesTest {
    @ParameterizedTest(name = "same")
    @ValueSource(ints = {1, 2, 3})
    void broken(int size) {
        if (size == 2) {
            Fate.broken("same");
        }
    }

    @ParameterizedTest(name = "alike")
    @ValueSource(ints = {1, 2})
    void flaky(int size) {
        if (size == 1) {
            Fate.shaky("alike");
        }
    }

    /** Elsewhere than in a method, and with nothing that names a class. */
    @TestFactory
    Stream<DynamicTest> told() {
        URI place = URI.create("classpath:/told.feature?line=3");
        return Stream.of(DynamicTest.dynamicTest("told", place, () -> Fate.shaky("told")),
                DynamicTest.dynamicTest("told", place, () -> {}));
    }
}
