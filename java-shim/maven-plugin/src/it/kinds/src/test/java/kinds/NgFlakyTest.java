package kinds;

import org.testng.annotations.Test;

/** A dependent test is skipped where what it needs has failed, and must run once that passes. */
public class NgFlakyTest {
    @Test
    public void base() {
        Fate.flaky("ng");
    }

    @Test(dependsOnMethods = "base")
    public void dependent() {}
}
