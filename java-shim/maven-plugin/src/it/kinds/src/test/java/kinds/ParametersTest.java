package kinds;

import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Invocations of one method, of which one fails. */
class ParametersTest {
    @Test
    void fine() {}

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void sized(int size) {
        if (size == 2) {
            Fate.flaky("sized");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a(b)", "c"})
    void text(String text) {
        if (text.length() > 1) {
            Fate.broken("text");
        }
    }

    @RepeatedTest(2)
    void again(RepetitionInfo at) {
        if (at.getCurrentRepetition() == 1) {
            Fate.flaky("again");
        }
    }
}
