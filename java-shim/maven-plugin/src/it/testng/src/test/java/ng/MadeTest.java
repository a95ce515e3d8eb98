package ng;

import org.testng.annotations.DataProvider;
import org.testng.annotations.Factory;
import org.testng.annotations.Test;

/** A factory makes two of it, which reports do not tell apart. */
public class MadeTest {
    private final int size;

    @Factory(dataProvider = "sizes")
    public MadeTest(int size) {
        this.size = size;
    }

    @DataProvider
    public static Object[][] sizes() {
        return new Object[][] {{1}, {2}};
    }

    @Test
    public void small() {
        if (size == 2) {
            Fate.broken("made");
        }
    }
}
