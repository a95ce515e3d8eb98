package demo;

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SixBTest {
    @Test
    void one() {}

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void sized(int size) {}

    @Nested
    class Inner {
        @Test
        void deep() {}
    }
}
