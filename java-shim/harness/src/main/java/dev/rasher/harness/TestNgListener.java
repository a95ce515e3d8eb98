package dev.rasher.harness;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.testng.IConfigurationListener;
import org.testng.IExecutionListener;
import org.testng.IMethodInstance;
import org.testng.IMethodInterceptor;
import org.testng.ITestContext;
import org.testng.ITestListener;
import org.testng.ITestNGMethod;
import org.testng.ITestResult;

/**
 * Selects and records under TestNG itself, where no JUnit Platform stands between it and the build tool: Surefire up to
 * 3.5 and Gradle's {@code useTestNG()}. Found by {@link java.util.ServiceLoader}, which TestNG alone asks for it.
 *
 * <p>Where an engine of the JUnit Platform runs TestNG, {@link ShardFilter} and {@link AttemptRecorder} do the work and
 * this listener keeps still.
 */
public final class TestNgListener
        implements IExecutionListener, IMethodInterceptor, ITestListener, IConfigurationListener {
    private boolean isReady;
    private boolean isStill;
    private TestNgSelection selection;
    private TestNgRecorder recorder;

    /** Made by {@link java.util.ServiceLoader}. */
    public TestNgListener() {}

    private synchronized boolean keepsStill() {
        if (!isReady) {
            isStill = Arrays.stream(Thread.currentThread().getStackTrace())
                    .anyMatch(frame -> frame.getClassName().startsWith("org.junit.platform."));
            if (!isStill) {
                Naming naming = Naming.current();
                selection = new TestNgSelection(ShardPlan.ofSettings());
                recorder = new TestNgRecorder(AttemptLog.open(naming), naming, selection);
            }
            isReady = true;
        }
        return isStill;
    }

    @Override
    public void onExecutionStart() {
        keepsStill();
    }

    @Override
    public void onExecutionFinish() {
        if (!keepsStill()) {
            recorder.over();
        }
    }

    @Override
    public List<IMethodInstance> intercept(List<IMethodInstance> methods, ITestContext context) {
        if (keepsStill()) {
            return methods;
        }
        List<IMethodInstance> kept;
        synchronized (this) {
            kept = selection.select(methods);
        }
        if (!"list".equals(Settings.get("mode"))) {
            return kept;
        }
        for (IMethodInstance instance : kept) {
            ITestNGMethod method = instance.getMethod();
            if (selection.isOwn(method)) {
                recorder.list(method, context);
            }
        }
        return Collections.emptyList();
    }

    @Override
    public void onTestStart(ITestResult result) {
        if (!keepsStill()) {
            recorder.begin(result);
        }
    }

    @Override
    public void onTestSuccess(ITestResult result) {
        end(result);
    }

    @Override
    public void onTestFailure(ITestResult result) {
        end(result);
    }

    @Override
    public void onTestSkipped(ITestResult result) {
        end(result);
    }

    @Override
    public void onTestFailedButWithinSuccessPercentage(ITestResult result) {
        end(result);
    }

    private void end(ITestResult result) {
        if (!keepsStill()) {
            recorder.end(result);
        }
    }

    @Override
    public void onStart(ITestContext context) {
        // Nothing is known of a test before it starts.
    }

    @Override
    public void onFinish(ITestContext context) {
        if (!keepsStill()) {
            recorder.flush();
        }
    }

    @Override
    public void onConfigurationSuccess(ITestResult result) {
        if (!keepsStill()) {
            recorder.configured(result);
        }
    }

    @Override
    public void onConfigurationFailure(ITestResult result) {
        if (!keepsStill()) {
            recorder.configured(result);
            recorder.failConfiguration(result);
        }
    }

    @Override
    public void onConfigurationSkip(ITestResult result) {
        // The tests that it would have set up are skipped, and say so themselves.
    }
}
