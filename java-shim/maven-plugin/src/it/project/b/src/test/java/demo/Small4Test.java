package demo;

import org.junit.jupiter.api.Test;

class Small4Test {
    @Test
    void one() {}

    @Test
    void two() {}
}
