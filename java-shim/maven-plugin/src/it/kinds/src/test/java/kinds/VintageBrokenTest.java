package kinds;

import java.util.Arrays;
import java.util.List;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;

/** JUnit 4 whose parameters cannot be made: its runner itself fails, in place of its tests. */
@RunWith(Parameterized.class)
public class VintageBrokenTest {
    @Parameterized.Parameters
    public static List<Integer> data() {
        Fate.broken("vintage");
        return Arrays.asList(1, 2);
    }

    @Parameterized.Parameter
    public int size;

    @Test
    public void t() {}
}
