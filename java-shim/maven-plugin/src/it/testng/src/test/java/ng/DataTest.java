package ng;

import org.testng.annotations.DataProvider;
import org.testng.annotations.Test;

/** Rows of data with all that names are cut at, and the same test several times. */
public class DataTest {
    @DataProvider
    public Object[][] rows() {
        return new Object[][] {{1, "a(b)"}, {2, "c [d], {e}"}, {3, null}};
    }

    @Test(dataProvider = "rows")
    public void sized(int size, String text) {
        if (size == 1) {
            Fate.broken("data");
        }
        if (size == 2) {
            Fate.flaky("data");
        }
    }

    @Test(invocationCount = 2)
    public void twice() {}

    @Test
    public void fine() {}
}
