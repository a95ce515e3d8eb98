package kinds;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Two invocations of a class, of which the second is flaky. */
@ParameterizedClass
@ValueSource(ints = {1, 2})
class FlakyClassTest {
    @Parameter
    int size;

    @Test
    void even() {
        if (size == 2) {
            Fate.flaky("class");
        }
    }

    @Test
    void fine() {}
}
