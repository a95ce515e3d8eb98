package kinds;

import org.testng.annotations.DataProvider;
import org.testng.annotations.Test;

/** Rows of a data provider, of which one fails. */
public class NgBrokenTest {
    @DataProvider
    public Object[][] sizes() {
        return new Object[][] {{1}, {2}};
    }

    @Test(dataProvider = "sizes")
    public void sized(int size) {
        if (size == 1) {
            Fate.broken("ng");
        }
    }

    @Test
    public void fine() {}
}
