package ng;

import org.testng.annotations.BeforeClass;
import org.testng.annotations.DataProvider;
import org.testng.annotations.Test;

/** A set-up that fails once; what it keeps from running has data that nobody has seen yet. */
public class SetUpTest {
    @BeforeClass
    public void prepare() {
        Fate.flaky("prepare");
    }

    @DataProvider
    public Object[][] rows() {
        return new Object[][] {{1}, {2}};
    }

    @Test(dataProvider = "rows")
    public void sized(int size) {}
}
