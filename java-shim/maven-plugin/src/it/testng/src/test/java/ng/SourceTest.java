package ng;

import org.testng.annotations.Test;

/** Makes what tests of another class need. */
public class SourceTest {
    @Test(groups = "made")
    public void makes() {
        Fate.flaky("makes");
        Fate.broken("makes");
    }

    @Test
    public void alone() {}
}
