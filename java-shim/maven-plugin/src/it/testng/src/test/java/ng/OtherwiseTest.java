package ng;

import org.testng.IRetryAnalyzer;
import org.testng.ITestResult;
import org.testng.SkipException;
import org.testng.annotations.Test;

/** A test that skips itself, one that is switched off, and one that TestNG itself runs again. */
public class OtherwiseTest {
    /** Once more. */
    public static class Again implements IRetryAnalyzer {
        private boolean isAgain;

        @Override
        public boolean retry(ITestResult result) {
            boolean wasAgain = isAgain;
            isAgain = true;
            return !wasAgain;
        }
    }

    @Test
    public void skipsItself() {
        throw new SkipException("not here");
    }

    @Test(enabled = false)
    public void off() {
        throw new AssertionError("ran");
    }

    @Test(retryAnalyzer = Again.class)
    public void again() {
        Fate.flaky("again");
    }
}
