package demo;

import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

class WholeBIT {
    @Test
    void together() {
        Assertions.assertFalse(Boolean.getBoolean("it.broken"));
    }
}
