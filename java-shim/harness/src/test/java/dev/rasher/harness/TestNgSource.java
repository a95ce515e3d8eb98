package dev.rasher.harness;

import org.testng.Assert;
import org.testng.annotations.Test;

/** Needed by {@link TestNgUser}. */
public class TestNgSource {
    @Test
    public void makes() {
        Assert.assertFalse(Boolean.getBoolean("broken"));
    }

    @Test
    public void alone() {}
}
