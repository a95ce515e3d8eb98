package demo;

import org.junit.jupiter.api.Test;

class Small3Test {
    @Test
    void one() {}

    @Test
    void two() {}
}
