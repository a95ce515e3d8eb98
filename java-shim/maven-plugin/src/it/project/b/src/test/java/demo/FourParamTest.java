package demo;

import java.util.Arrays;
import java.util.Collection;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;

@RunWith(Parameterized.class)
public class FourParamTest {
    @Parameterized.Parameters(name = "P{0}")
    public static Collection<Object[]> data() {
        return Arrays.asList(new Object[][] {{1}, {2}});
    }

    @Parameterized.Parameter
    public int size;

    @Test
    public void t() {}

    @Test
    public void u() {}
}
