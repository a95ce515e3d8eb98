package kinds;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** A class whose test passes, and which fails when it takes down what it has set up. */
class TearDownTest {
    @AfterAll
    static void down() {
        Fate.shaky("teardown");
        Fate.broken("teardown");
    }

    @Test
    void one() {}
}
