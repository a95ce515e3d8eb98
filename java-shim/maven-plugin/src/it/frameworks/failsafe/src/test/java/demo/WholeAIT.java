package demo;

import org.junit.jupiter.api.Test;

class WholeAIT {
    @Test
    void together() {}
}
