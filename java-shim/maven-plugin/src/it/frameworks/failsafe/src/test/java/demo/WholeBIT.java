package demo;

import org.junit.jupiter.api.Test;

class WholeBIT {
    @Test
    void together() {}
}
