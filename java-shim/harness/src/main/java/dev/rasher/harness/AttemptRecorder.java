package dev.rasher.harness;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;

/**
 * Writes every attempt down as it happens; decides nothing.
 *
 * <p>A line when a test begins (handed to the operating system at once, with everything before it) and a line when it
 * ends; a test that began and never ended was running when the JVM died. What passes between two tests of a class, such
 * as the making of an invocation's arguments, counts for the later one: it is paid by each and not by the class. The
 * set-up of a class is what is left of its time, before its first test and behind its last; where tests of one class
 * ran side by side it tells none. A class that fails
 * outside its tests is an attempt of its own under the name that the tool's report gives it, and the tests that it
 * kept from running are recorded as such.
 */
public final class AttemptRecorder implements TestExecutionListener {
    private AttemptLog log;
    private Naming naming;
    private Planned planned;
    private TestPlan plan;
    private final Map<String, Running> running = new ConcurrentHashMap<>();
    private final Map<String, ClassTime> classes = new ConcurrentHashMap<>();
    /** Nodes in which a test has run to a result. */
    private final Set<String> executed = ConcurrentHashMap.newKeySet();
    /** Nodes in which a test has been recorded, run or skipped. */
    private final Set<String> reported = ConcurrentHashMap.newKeySet();

    /** A test between its begin and its end. */
    private static final class Running {
        private final long number;
        private final long nanos;

        Running(long number, long nanos) {
            this.number = number;
            this.nanos = nanos;
        }
    }

    /** The time of an outermost class and of the tests in it. */
    private static final class ClassTime {
        private final long start = System.nanoTime();
        private long testNanos;
        private long lastEnd;
        private int inFlight;
        private boolean isParallel;
        private boolean hasTests;

        /** Gives the time from which the test counts. */
        synchronized long begin(long now) {
            long from = hasTests && inFlight == 0 ? lastEnd : now;
            inFlight++;
            hasTests = true;
            isParallel |= inFlight > 1;
            return from;
        }

        synchronized void end(long now, long nanos) {
            inFlight--;
            lastEnd = now;
            testNanos += nanos;
        }
    }

    /** Made by {@link java.util.ServiceLoader}. */
    public AttemptRecorder() {}

    @Override
    public void testPlanExecutionStarted(TestPlan testPlan) {
        plan = testPlan;
        naming = Naming.current();
        log = AttemptLog.open(naming);
        planned = Planned.read();
    }

    @Override
    public void testPlanExecutionFinished(TestPlan testPlan) {
        if (log != null) {
            log.over();
        }
        classes.clear();
        executed.clear();
        reported.clear();
    }

    @Override
    public void executionStarted(TestIdentifier node) {
        if (log == null) {
            return;
        }
        if (isReported(node)) {
            begin(node);
        } else if (isTopClass(node)) {
            classes.put(node.getUniqueId(), new ClassTime());
        }
    }

    @Override
    public void executionSkipped(TestIdentifier node, String reason) {
        if (log != null) {
            skip(node);
            log.flush();
        }
    }

    @Override
    public void executionFinished(TestIdentifier node, TestExecutionResult result) {
        if (log == null) {
            return;
        }
        if (isReported(node)) {
            end(node, result);
        } else if (result.getStatus() == TestExecutionResult.Status.FAILED) {
            failContainer(node, result);
        } else if (result.getStatus() == TestExecutionResult.Status.ABORTED) {
            skip(node);
        } else {
            passContainer(node);
        }
        if (isTopClass(node)) {
            endClass(node);
        }
    }

    private boolean isReported(TestIdentifier node) {
        return node.isTest() && (!node.isContainer() || naming.reportsMixed());
    }

    private void begin(TestIdentifier node) {
        long now = System.nanoTime();
        ClassTime time = classTime(node);
        long from = time == null || node.isContainer() ? now : time.begin(now);
        Running run = new Running(AttemptLog.next(), from);
        running.put(node.getUniqueId(), run);
        log.write(named(new JsonLine().number("begin", run.number), node, name(node))
                .number("at_us", System.currentTimeMillis() * 1_000));
        log.flush();
    }

    private void end(TestIdentifier node, TestExecutionResult result) {
        Running run = running.remove(node.getUniqueId());
        mark(reported, node);
        if (result.getStatus() != TestExecutionResult.Status.ABORTED) {
            mark(executed, node);
        }
        if (run == null) {
            return;
        }
        long now = System.nanoTime();
        long nanos = now - run.nanos;
        ClassTime time = classTime(node);
        if (time != null && !node.isContainer()) {
            time.end(now, nanos);
        }
        JsonLine line = new JsonLine().number("end", run.number).text("outcome", outcome(result))
                .number("us", Math.max(0, nanos / 1_000));
        log.write(failed(line, result));
    }

    /** A container that failed: a class outside its tests, or a method that could not make its tests. */
    private void failContainer(TestIdentifier node, TestExecutionResult result) {
        boolean isClass = !node.getSource().isPresent() || node.getSource().get() instanceof ClassSource;
        boolean underClassName = isClass || naming == Naming.GRADLE;
        TestIdentifier owner = underClassName ? nearestClass(node) : node;
        String id = node.getUniqueId();
        String name = underClassName ? naming.classFailure(executed.contains(id), reported.contains(id)) : name(node);
        JsonLine line = new JsonLine().number("end", AttemptLog.next());
        named(line, owner, name).text("outcome", outcome(result));
        log.write(failed(line, result));
        for (TestIdentifier below : plan.getDescendants(node)) {
            if (isReported(below) && !reported.contains(below.getUniqueId()) && !isPattern(below)) {
                settle(below, "set_up_failed");
            }
        }
        mark(reported, node);
        log.flush();
    }

    /** A method that could not make its tests before, and went by its own name then: now it can. */
    private void passContainer(TestIdentifier node) {
        if (Sources.methodName(node.getSource()) != null && planned.has(className(node) + '#' + name(node))) {
            log.write(named(new JsonLine().number("end", AttemptLog.next()), node, name(node))
                    .text("outcome", "passed"));
        }
    }

    private void skip(TestIdentifier node) {
        boolean isLeaf = plan.getChildren(node).isEmpty();
        if (isReported(node) || isLeaf && Sources.methodName(node.getSource()) != null) {
            settle(node, "skipped");
            return;
        }
        for (TestIdentifier below : plan.getChildren(node)) {
            if (!reported.contains(below.getUniqueId())) {
                skip(below);
            }
        }
    }

    private void settle(TestIdentifier node, String outcome) {
        mark(reported, node);
        log.write(named(new JsonLine().number("end", AttemptLog.next()), node, name(node))
                .text("outcome", outcome));
    }

    /** A node that only shows how the tests of a parameterised class will look. */
    private static boolean isPattern(TestIdentifier node) {
        String id = node.getUniqueId();
        return id.contains("class-template:") && !id.contains("class-template-invocation:");
    }

    private void endClass(TestIdentifier node) {
        ClassTime time = classes.remove(node.getUniqueId());
        if (time != null && time.hasTests && !time.isParallel) {
            long setUp = (System.nanoTime() - time.start - time.testNanos) / 1_000;
            log.write(new JsonLine().text("class", className(node)).number("set_up_us", Math.max(0, setUp)));
        }
        log.flush();
    }

    private JsonLine named(JsonLine line, TestIdentifier node, String name) {
        line.text("class", className(node)).text("name", name).text("unique", node.getUniqueId());
        String method = Sources.methodName(node.getSource());
        return method == null || name.startsWith(method) ? line : line.text("method", method);
    }

    private String name(TestIdentifier node) {
        return naming.name(node.getDisplayName(), node.getLegacyReportingName());
    }

    private String className(TestIdentifier node) {
        for (Optional<TestIdentifier> at = Optional.of(node); at.isPresent(); at = plan.getParent(at.get())) {
            String name = Sources.className(at.get().getSource());
            if (name != null) {
                return name;
            }
        }
        return plan.getParent(node).orElse(node).getLegacyReportingName();
    }

    private TestIdentifier nearestClass(TestIdentifier node) {
        for (Optional<TestIdentifier> at = Optional.of(node); at.isPresent(); at = plan.getParent(at.get())) {
            if (at.get().getSource().orElse(null) instanceof ClassSource) {
                return at.get();
            }
        }
        return node;
    }

    private boolean isTopClass(TestIdentifier node) {
        return node.getSource().orElse(null) instanceof ClassSource && !node.isTest()
                && !plan.getParent(node).filter(this::isInClass).isPresent();
    }

    private boolean isInClass(TestIdentifier node) {
        return Sources.className(node.getSource()) != null
                || plan.getParent(node).filter(this::isInClass).isPresent();
    }

    private ClassTime classTime(TestIdentifier node) {
        for (Optional<TestIdentifier> at = plan.getParent(node); at.isPresent(); at = plan.getParent(at.get())) {
            ClassTime time = classes.get(at.get().getUniqueId());
            if (time != null) {
                return time;
            }
        }
        return null;
    }

    /** Marks a node and all above it. */
    private void mark(Set<String> set, TestIdentifier node) {
        for (Optional<TestIdentifier> at = Optional.of(node); at.isPresent(); at = plan.getParent(at.get())) {
            if (!set.add(at.get().getUniqueId()) && at.get() != node) {
                return;
            }
        }
    }

    private static String outcome(TestExecutionResult result) {
        switch (result.getStatus()) {
            case SUCCESSFUL:
                return "passed";
            case ABORTED:
                return "skipped";
            default:
                return result.getThrowable().filter(AssertionError.class::isInstance).isPresent()
                        ? "failed" : "errored";
        }
    }

    private static JsonLine failed(JsonLine line, TestExecutionResult result) {
        return line.failure(result.getThrowable().orElse(null));
    }
}
