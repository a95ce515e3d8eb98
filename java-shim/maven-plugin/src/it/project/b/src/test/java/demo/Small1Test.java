package demo;

import org.junit.jupiter.api.Test;

class Small1Test {
    @Test
    void one() {}

    @Test
    void two() {}
}
