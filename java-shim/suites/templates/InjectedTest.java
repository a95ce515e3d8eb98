package inject;

import org.junit.Rule;
import org.junit.rules.TestRule;
import org.junit.runner.Description;
import org.junit.runners.model.Statement;

/** Where there are no extensions: the tests of a class of the suite, of which the chosen ones fail. */
public class Injected@CLASS@ extends @PARENT@ {
    @Rule
    public final TestRule fates = Injected@CLASS@::guarded;

    private static Statement guarded(Statement test, Description description) {
        String name = description.getClassName();
        String unique = "[engine:junit-vintage]/[runner:" + name + "]/[test:" + description.getMethodName() + '(' + name
                + ")]";
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
