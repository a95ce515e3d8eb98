package kinds;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A class whose set-up is flaky. */
class FlakySetUpTest {
    @BeforeAll
    static void up() {
        Fate.flaky("setup");
    }

    @Test
    void one() {}

    @Test
    void two() {}
}
