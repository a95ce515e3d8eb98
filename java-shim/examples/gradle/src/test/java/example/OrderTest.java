package example;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class OrderTest {
    @Test
    void isOpenAtFirst() throws InterruptedException {
        Thread.sleep(200);
    }

    @Nested
    class WhenSent {
        @Test
        void arrives() throws InterruptedException {
            Thread.sleep(300);
        }

        /** Fails now and then, as such tests do: try {@code FLAKY=1}, which lets it fail once. */
        @Test
        void isPaid() throws java.io.IOException {
            boolean isOffOnce = System.getenv("FLAKY") != null && new java.io.File("flaky.seen").createNewFile();
            assertTrue(!isOffOnce, "the payment has not come yet");
        }
    }
}
