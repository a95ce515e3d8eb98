package kinds;

import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Tests that are made when they run. */
class DynamicNodesTest {
    @TestFactory
    Stream<DynamicNode> flaky() {
        return Stream.of(DynamicTest.dynamicTest("first", () -> {}),
                DynamicTest.dynamicTest("second", () -> Fate.flaky("dynamic")));
    }

    @TestFactory
    Stream<DynamicNode> broken() {
        return Stream.of(DynamicTest.dynamicTest("third", () -> {}), DynamicContainer.dynamicContainer("box",
                Stream.of(DynamicTest.dynamicTest("fourth", () -> Fate.broken("dynamic")))));
    }
}
