package dev.rasher.harness;

import java.lang.reflect.InvocationTargetException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.testng.ITestContext;
import org.testng.ITestNGMethod;
import org.testng.ITestResult;
import org.testng.SkipException;

/**
 * Writes the attempts of a TestNG run down, in the form of {@link AttemptRecorder}.
 *
 * <p>Three things that TestNG calls skipped are told apart: a test that says so itself ({@code skipped}), one whose
 * set-up or prerequisite failed ({@code set_up_failed}, which must run again), and one that a retry analyser runs again
 * (a failure, followed by an attempt under the same unique id).
 */
final class TestNgRecorder {
    private final AttemptLog log;
    private final Naming naming;
    private final TestNgSelection selection;
    private final Map<ITestResult, Running> running = new IdentityHashMap<>();
    /** How often each unique id, but for the number of its invocation, came to an end that stands. */
    private final Map<String, Integer> invocations = new HashMap<>();
    private final Map<Object, Integer> instances = new IdentityHashMap<>();
    private final Map<String, Integer> instanceCounts = new HashMap<>();
    /** Methods that failed or could not run; what depends on them cannot either. */
    private final Set<String> broken = new HashSet<>();
    private final Map<String, Long> setUpMillis = new TreeMap<>();
    private final Set<String> classes = new HashSet<>();
    /** What the next test of a thread has already cost before it began. */
    private final ThreadLocal<Long> before = ThreadLocal.withInitial(() -> 0L);

    /** A test between its begin and its end. */
    private static final class Running {
        private final long number;
        private final long nanos = System.nanoTime();
        private final String key;
        private final boolean isWritten;

        Running(long number, String key, boolean isWritten) {
            this.number = number;
            this.key = key;
            this.isWritten = isWritten;
        }
    }

    TestNgRecorder(AttemptLog log, Naming naming, TestNgSelection selection) {
        this.log = log;
        this.naming = naming;
        this.selection = selection;
    }

    synchronized void begin(ITestResult result) {
        if (log == null || running.containsKey(result)) {
            return;
        }
        String key = key(result);
        boolean isWritten = selection.isOwn(result.getMethod()) && !lacksData(result);
        Running run = new Running(AttemptLog.next(), key, isWritten);
        running.put(result, run);
        if (isWritten) {
            int invocation = result.getMethod().getCurrentInvocationCount();
            log.write(named(new JsonLine().number("begin", run.number), result, invocation, key)
                    .number("at_us", System.currentTimeMillis() * 1_000));
            log.flush();
        }
    }

    synchronized void end(ITestResult result) {
        if (log == null) {
            return;
        }
        Running run = running.remove(result);
        boolean isRetried = isRetried(result, run != null);
        String outcome = isRetried ? failed(result.getThrowable()) : outcome(result);
        String key = run == null ? key(result) : run.key;
        if (!isRetried) {
            invocations.merge(key, 1, Integer::sum);
            if (!outcome.equals("passed") && !outcome.equals("skipped")) {
                broken.add(TestNgSelection.key(result.getMethod()));
            }
        }
        if (!selection.isOwn(result.getMethod())) {
            return;
        }
        classes.add(className(result));
        boolean isWritten = run != null && run.isWritten;
        JsonLine line = isWritten ? new JsonLine().number("end", run.number) : unbegun(result, key, outcome);
        line.text("outcome", outcome);
        if (isWritten && (result.getStatus() != ITestResult.SKIP || isRetried)) {
            long nanos = System.nanoTime() - run.nanos + before.get() * 1_000_000;
            line.number("us", Math.max(0, nanos / 1_000));
        }
        before.set(0L);
        boolean isFailure = !outcome.equals("passed") && !outcome.equals("skipped");
        log.write(isFailure ? line.failure(result.getThrowable()) : line);
    }

    /** A test that was kept from running before its data was known has no name yet: it is told of its class. */
    private JsonLine unbegun(ITestResult result, String key, String outcome) {
        JsonLine line = new JsonLine().number("end", AttemptLog.next());
        if (outcome.equals("set_up_failed") && lacksData(result)) {
            return line.text("class", className(result)).text("name", naming.classFailure(false, false))
                    .text("unique", key);
        }
        return named(line, result, Math.max(0, result.getMethod().getCurrentInvocationCount() - 1), key);
    }

    private static boolean lacksData(ITestResult result) {
        Object[] parameters = result.getParameters();
        return (parameters == null || parameters.length == 0)
                && result.getMethod().getConstructorOrMethod().getParameterTypes().length > 0;
    }

    /** Counts what a configuration method took: for its class, or for the next test. */
    synchronized void configured(ITestResult result) {
        long millis = Math.max(0, result.getEndMillis() - result.getStartMillis());
        ITestNGMethod method = result.getMethod();
        if (method.isBeforeMethodConfiguration()) {
            before.set(before.get() + millis);
        } else if (method.isBeforeClassConfiguration() || method.isAfterClassConfiguration()) {
            setUpMillis.merge(className(result), millis, Long::sum);
        }
    }

    /** What fails before a whole suite is told by the tests that it keeps from running. */
    synchronized void failConfiguration(ITestResult result) {
        ITestNGMethod method = result.getMethod();
        boolean isOfAll = method.isBeforeSuiteConfiguration() || method.isBeforeTestConfiguration();
        if (log == null || isOfAll || !selection.isOwn(className(result))) {
            return;
        }
        boolean isLate = classes.contains(className(result));
        log.write(new JsonLine().number("end", AttemptLog.next()).text("class", className(result))
                .text("name", naming.classFailure(isLate, isLate))
                .text("unique", "[testng]/[class:" + className(result) + "]/[configuration:" + method.getMethodName() + ']')
                .text("outcome", failed(result.getThrowable())).failure(result.getThrowable()));
        log.flush();
    }

    synchronized void list(ITestNGMethod method, ITestContext context) {
        if (log != null) {
            String className = TestNgSelection.className(method);
            log.write(new JsonLine().text("list", className).text("name", method.getMethodName())
                    .text("unique", unique(context, className + '#' + instance(method.getInstance(), className), method)));
        }
    }

    synchronized void flush() {
        if (log != null) {
            log.flush();
        }
    }

    synchronized void over() {
        if (log == null) {
            return;
        }
        for (String className : classes) {
            long millis = setUpMillis.getOrDefault(className, 0L);
            log.write(new JsonLine().text("class", className).number("set_up_us", millis * 1_000));
        }
        classes.clear();
        setUpMillis.clear();
        log.over();
    }

    private JsonLine named(JsonLine line, ITestResult result, int invocation, String key) {
        String name = naming.testNg(result.getName(), result.getParameters(), invocation);
        String method = result.getMethod().getMethodName();
        line.text("class", className(result)).text("name", name)
                .text("unique", key + "/[invocation:" + invocations.getOrDefault(key, 0) + ']');
        return name.startsWith(method) ? line : line.text("method", method);
    }

    private static String className(ITestResult result) {
        return result.getTestClass().getName();
    }

    /** The unique id without the number of the invocation. */
    private String key(ITestResult result) {
        String instance = className(result) + '#' + instance(result.getInstance(), className(result));
        return unique(result.getTestContext(), instance, result.getMethod());
    }

    private static String unique(ITestContext context, String instance, ITestNGMethod method) {
        return "[testng:" + context.getSuite().getName() + "]/[test:" + context.getName() + "]/[class:" + instance
                + "]/[method:" + method.getMethodName()
                + Arrays.toString(method.getConstructorOrMethod().getParameterTypes()) + ']';
    }

    /** Which of the instances of a class this is; a factory makes several. */
    private int instance(Object instance, String className) {
        return instance == null ? 0 : instances.computeIfAbsent(instance,
                any -> instanceCounts.merge(className, 1, Integer::sum) - 1);
    }

    private String outcome(ITestResult result) {
        switch (result.getStatus()) {
            case ITestResult.SUCCESS:
            case ITestResult.SUCCESS_PERCENTAGE_FAILURE:
                return "passed";
            case ITestResult.FAILURE:
                return failed(result.getThrowable());
            default:
                return isKeptFromRunning(result) ? "set_up_failed" : "skipped";
        }
    }

    private static String failed(Throwable cause) {
        return cause instanceof AssertionError ? "failed" : "errored";
    }

    /** True for a skip that nobody asked for. */
    private boolean isKeptFromRunning(ITestResult result) {
        if (result.getThrowable() instanceof SkipException) {
            return false;
        }
        Deque<ITestNGMethod> open = new ArrayDeque<>();
        open.add(result.getMethod());
        Collection<ITestNGMethod> all = Arrays.asList(result.getTestContext().getAllTestMethods());
        Set<String> seen = new HashSet<>();
        while (!open.isEmpty()) {
            for (ITestNGMethod needed : TestNgSelection.prerequisites(open.remove(), all)) {
                if (broken.contains(TestNgSelection.key(needed))) {
                    return true;
                }
                if (seen.add(TestNgSelection.key(needed))) {
                    open.add(needed);
                }
            }
        }
        return seen.isEmpty() && result.getThrowable() != null
                || result.getTestContext().getFailedConfigurations().size() > 0;
    }

    /** True for a failure that a retry analyser runs again. TestNG says so itself since 7.0. */
    private static boolean isRetried(ITestResult result, boolean hasBegun) {
        if (result.getStatus() != ITestResult.SKIP) {
            return false;
        }
        try {
            return (Boolean) ITestResult.class.getMethod("wasRetried").invoke(result);
        } catch (NoSuchMethodException e) {
            return hasBegun && result.getThrowable() != null && !(result.getThrowable() instanceof SkipException);
        } catch (IllegalAccessException | InvocationTargetException e) {
            return false;
        }
    }
}
