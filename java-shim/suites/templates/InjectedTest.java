package inject;

import org.apache.commons.math3.geometry.euclidean.threed.Vector3DTest;
import org.junit.Rule;
import org.junit.rules.TestRule;
import org.junit.runner.Description;
import org.junit.runners.model.Statement;

/** Where there are no extensions: the tests of a class of the suite, of which the chosen ones fail. */
public class InjectedTest extends Vector3DTest {
    @Rule
    public final TestRule fates = InjectedTest::guarded;

    private static Statement guarded(Statement test, Description description) {
        String unique = "[engine:junit-vintage]/[runner:inject.InjectedTest]/[test:" + description.getMethodName()
                + "(inject.InjectedTest)]";
        return new Statement() {
            @Override
            public void evaluate() throws Throwable {
                AssertionError failure = Fates.of(unique);
                if (failure != null) {
                    throw failure;
                }
                test.evaluate();
            }
        };
    }
}
