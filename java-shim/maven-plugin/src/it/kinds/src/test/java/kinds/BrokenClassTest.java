package kinds;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Two invocations of a class: what one passes must not speak for the other. */
@ParameterizedClass
@ValueSource(ints = {1, 2})
class BrokenClassTest {
    @Parameter
    int size;

    @Test
    void odd() {
        if (size == 1) {
            Fate.broken("class");
        }
    }
}
