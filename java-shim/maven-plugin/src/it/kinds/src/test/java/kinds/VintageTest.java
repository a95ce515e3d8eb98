package kinds;

import java.util.Arrays;
import java.util.Collection;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;

/** JUnit 4 with parameters. */
@RunWith(Parameterized.class)
public class VintageTest {
    @Parameterized.Parameters(name = "P{0}")
    public static Collection<Object[]> data() {
        return Arrays.asList(new Object[][] {{1}, {2}});
    }

    @Parameterized.Parameter
    public int size;

    @Test
    public void t() {
        if (size == 1) {
            Fate.flaky("vintage");
        }
    }

    @Test
    public void u() {
        if (size == 2) {
            Fate.broken("vintage");
        }
    }

    @Test
    public void v() {}
}
