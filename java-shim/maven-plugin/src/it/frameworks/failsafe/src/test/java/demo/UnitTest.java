package demo;

import org.junit.jupiter.api.Test;

class UnitTest {
    @Test
    void small() {}
}
