package dev.rasher.harness;

import org.testng.annotations.Test;

/** Needs another class. */
public class TestNgUser {
    @Test(dependsOnMethods = "dev.rasher.harness.TestNgSource.makes")
    public void uses() {}

    @Test
    public void free() {}
}
