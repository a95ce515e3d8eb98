package ng;

import org.testng.annotations.Test;

/** Needs what another class makes: a group of it, and a method by its name. */
public class UserTest {
    @Test(dependsOnGroups = "made")
    public void usesGroup() {}

    @Test(dependsOnMethods = "ng.SourceTest.alone")
    public void usesMethod() {}
}
