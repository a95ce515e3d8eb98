package demo;

import org.junit.jupiter.api.Test;

/** Both modules have this class. */
class SameTest {
    @Test
    void both() {}

    @Test
    void only_b() {}
}
