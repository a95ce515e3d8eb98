package ng;

import org.testng.annotations.Test;

/** The last needs the first: where that fails, it is skipped and must run once that passes. */
public class ChainTest {
    @Test
    public void base() {
        Fate.flaky("base");
    }

    @Test(dependsOnMethods = "base")
    public void last() {
        Fate.deadly("last");
    }
}
