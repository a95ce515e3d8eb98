package ng;

import org.testng.annotations.Test;

public class Small1Test {
    @Test
    public void one() {}

    @Test
    public void two() {}
}
