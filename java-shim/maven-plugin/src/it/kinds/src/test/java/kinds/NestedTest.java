package kinds;

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Methods of one name in several nested classes, of which one fails. */
class NestedTest {
    @Test
    void deep() {}

    @Nested
    class Flaky {
        @Test
        void deep() {
            Fate.flaky("nested");
        }
    }

    @Nested
    class Broken {
        @Test
        void deep() {
            Fate.broken("nested");
        }
    }

    @Nested
    class Fine {
        @Test
        void deep() {}
    }
}
