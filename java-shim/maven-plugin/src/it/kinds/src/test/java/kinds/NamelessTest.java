package kinds;

import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Arguments without a text of their own, which print another hash code in every JVM. */
class NamelessTest {
    static Stream<Object> things() {
        return Stream.of(new Object(), (Runnable) () -> {});
    }

    @ParameterizedTest
    @MethodSource("things")
    void takes(Object thing) {}
}
