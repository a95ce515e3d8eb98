package kinds;

import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** Tests that build on each other: the second alone would fail for another reason. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class OrderedTest {
    private static boolean isPrepared;

    @Test
    @Order(1)
    void prepare() {
        isPrepared = true;
    }

    @Test
    @Order(2)
    void use() {
        Assertions.assertTrue(isPrepared);
        Fate.flaky("ordered");
    }
}
