package demo;

import org.junit.jupiter.api.Test;

class Small2Test {
    @Test
    void one() {}

    @Test
    void two() {}
}
