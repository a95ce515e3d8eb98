package kinds;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A method whose arguments cannot be made the first time, beside one that passes. */
class FlakyProviderTest {
    static Stream<Integer> numbers() {
        Fate.flaky("provider");
        return Stream.of(1, 2);
    }

    @Test
    void beside() {}

    @ParameterizedTest
    @MethodSource("numbers")
    void numbered(int number) {}
}
