package ng;

import org.testng.annotations.Test;

public class Small3Test {
    @Test
    public void one() {}

    @Test
    public void two() {}
}
