package ng;

import org.testng.annotations.Test;

public class Small2Test {
    @Test
    public void one() {}

    @Test
    public void two() {}
}
