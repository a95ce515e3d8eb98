package kinds;

import org.junit.BeforeClass;
import org.junit.Test;

/** JUnit 4 with a set-up that is flaky. */
public class VintageSetUpTest {
    @BeforeClass
    public static void up() {
        Fate.shaky("vintagesetup");
    }

    @Test
    public void one() {}
}
