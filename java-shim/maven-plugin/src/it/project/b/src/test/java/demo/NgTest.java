package demo;

import org.testng.annotations.DataProvider;
import org.testng.annotations.Test;

public class NgTest {
    @Test
    public void a() {}

    @Test(dependsOnMethods = "a")
    public void b() {}

    @DataProvider
    public Object[][] sizes() {
        return new Object[][] {{1}, {2}};
    }

    @Test(dataProvider = "sizes")
    public void sized(int size) {}
}
