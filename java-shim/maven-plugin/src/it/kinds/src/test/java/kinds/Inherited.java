package kinds;

import org.junit.jupiter.api.Test;

/** Tests that several classes have from one. */
abstract class Inherited {
    @Test
    void flaky() {
        if (isUnlucky()) {
            Fate.shaky("inherited");
        }
    }

    @Test
    void broken() {
        if (isUnlucky()) {
            Fate.broken("inherited");
        }
    }

    abstract boolean isUnlucky();
}
