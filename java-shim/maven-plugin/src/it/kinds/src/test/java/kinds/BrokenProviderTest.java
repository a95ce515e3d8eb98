package kinds;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A method whose arguments cannot be made, beside one that passes. */
class BrokenProviderTest {
    static Stream<Integer> numbers() {
        Fate.broken("provider");
        return Stream.of(1, 2);
    }

    @Test
    void beside() {}

    @ParameterizedTest
    @MethodSource("numbers")
    void numbered(int number) {}
}
