package inject;

import java.io.File;
import java.io.IOException;
import org.junit.Assert;
import org.junit.Test;

/** Where there are no extensions: a test that fails once, and one that fails always. */
public class InjectedTest {
    @Test
    public void flaky() throws IOException {
        Assert.assertFalse("injected: flaky",
                Boolean.getBoolean("inject") && new File(System.getProperty("inject.seen"), "flaky").createNewFile());
    }

    @Test
    public void broken() {
        Assert.assertFalse("injected: broken", Boolean.getBoolean("inject"));
    }
}
