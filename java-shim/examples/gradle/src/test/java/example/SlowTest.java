package example;

import org.junit.jupiter.api.Test;

/** The class that decides how long everything takes. */
class SlowTest {
    @Test
    void readsTheCatalogue() throws InterruptedException {
        Thread.sleep(800);
    }

    @Test
    void writesTheCatalogue() throws InterruptedException {
        Thread.sleep(400);
    }
}
