package kinds;

import org.junit.platform.suite.api.SelectClasses;
import org.junit.platform.suite.api.Suite;

/** Runs a class that nothing else runs. */
@Suite
@SelectClasses(Suited.class)
class SuiteTest {}
