package kinds;

import org.junit.jupiter.api.Test;

/** Tests that run in a suite. */
class Suited {
    @Test
    void flaky() {
        Fate.shaky("suited");
    }

    @Test
    void broken() {
        Fate.broken("suited");
    }

    @Test
    void fine() {}
}
