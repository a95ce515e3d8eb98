package kinds;

import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** Takes its JVM with it, between other tests. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class DeadlyTest {
    @Test
    @Order(1)
    void before() {}

    @Test
    @Order(2)
    void deadly() {
        Fate.deadly("deadly");
    }

    @Test
    @Order(3)
    void after() {}
}
