package kinds;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A class whose set-up is broken. */
class BrokenSetUpTest {
    @BeforeAll
    static void up() {
        Fate.broken("setup");
    }

    @Test
    void one() {}

    @Test
    void two() {}
}
