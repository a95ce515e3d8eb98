package dev.rasher.harness;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.TestSource;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.launcher.PostDiscoveryFilter;

/**
 * Keeps the tests of this shard, by one look-up in a hash table per node.
 *
 * <p>Without a shard file it keeps everything. A shard file that cannot be read stops the run: running all or nothing
 * in its place would be worse. The rules stand at {@link ShardPlan}.
 */
public final class ShardFilter implements PostDiscoveryFilter {
    private static final FilterResult HERE = FilterResult.included("planned on this shard");
    private static final FilterResult ELSEWHERE = FilterResult.excluded("planned on another shard");
    private static final FilterResult LISTED = FilterResult.excluded("only listed");

    private ShardPlan plan;
    private Listing listing;
    private boolean isReady;
    /** Shared classes that must not be taken apart, so that the rest of the class decides for all of it. */
    private final Map<String, Boolean> keptWhole = new HashMap<>();

    /** Made by {@link java.util.ServiceLoader}. */
    public ShardFilter() {}

    @Override
    public synchronized FilterResult apply(TestDescriptor node) {
        prepare();
        return Suites.is(node) ? applyToSuite(node) : decide(node);
    }

    /** A suite of which nothing is left goes with all that is in it: its engine would fail on an empty one. */
    private FilterResult applyToSuite(TestDescriptor suite) {
        boolean isNeeded = false;
        for (TestDescriptor node : suite.getDescendants()) {
            isNeeded |= Suites.isLeaf(node) && decide(node).included();
        }
        if (isNeeded) {
            return HERE;
        }
        new ArrayList<>(suite.getChildren()).forEach(TestDescriptor::removeFromHierarchy);
        return ELSEWHERE;
    }

    private FilterResult decide(TestDescriptor node) {
        FilterResult result = plan == null || takes(node) ? HERE : ELSEWHERE;
        if (listing == null || !result.included()) {
            return result;
        }
        return listing.add(node) ? LISTED : HERE;
    }

    private void prepare() {
        if (isReady) {
            return;
        }
        plan = ShardPlan.ofSettings();
        listing = "list".equals(Settings.get("mode")) ? new Listing(Naming.current()) : null;
        isReady = true;
    }

    private boolean takes(TestDescriptor node) {
        String className = classOf(node);
        if (className == null) {
            return takesNameless(node);
        }
        if (!plan.isSplit(className)) {
            return plan.takesClass(className);
        }
        if (isKeptWhole(node, className)) {
            return plan.takesRest(className) || plan.retry();
        }
        String method = Sources.methodName(node.getSource());
        boolean isMethod = method != null || node.isTest();
        return !isMethod || plan.takesMethod(className, names(node, method));
    }

    /** A test without a class goes by the name of its parent, which is what reports print as its class. */
    private boolean takesNameless(TestDescriptor node) {
        if (!node.isTest() || !node.getParent().isPresent()) {
            return true;
        }
        return plan.takesClass(node.getParent().get().getLegacyReportingName());
    }

    private static String classOf(TestDescriptor node) {
        for (TestDescriptor at = node; at != null; at = at.getParent().orElse(null)) {
            String name = Sources.className(at.getSource());
            if (name != null) {
                return name;
            }
        }
        return null;
    }

    private static Collection<String> names(TestDescriptor node, String method) {
        List<String> names = new ArrayList<>(3);
        if (method != null) {
            names.add(method);
        }
        names.add(Naming.stable(node.getDisplayName()));
        names.add(Naming.stable(node.getLegacyReportingName()));
        return names;
    }

    private boolean isKeptWhole(TestDescriptor node, String className) {
        String outer = ShardPlan.outermost(className);
        Boolean known = keptWhole.get(outer);
        if (known == null) {
            TestDescriptor top = topOf(node, outer);
            known = isStateful(top) || isOpaque(top) || plan.retry() && !coversUnits(top, outer);
            keptWhole.put(outer, known);
        }
        return known;
    }

    /** The highest node that belongs to the outermost class. */
    private static TestDescriptor topOf(TestDescriptor node, String outer) {
        TestDescriptor top = node;
        for (TestDescriptor at = node; at != null; at = at.getParent().orElse(null)) {
            String name = Sources.className(at.getSource());
            if (name != null && ShardPlan.outermost(name).equals(outer)) {
                top = at;
            }
        }
        return top;
    }

    private static boolean isStateful(TestDescriptor top) {
        TestSource source = top.getSource().orElse(null);
        try {
            return source instanceof ClassSource && Stateful.is(((ClassSource) source).getJavaClass());
        } catch (RuntimeException | LinkageError e) {
            return false;
        }
    }

    /** A class that makes its tests only when it runs, such as a Kotest specification. */
    private static boolean isOpaque(TestDescriptor top) {
        return top.isContainer() && top.getChildren().isEmpty() && top.mayRegisterTests();
    }

    /** True where every unit that is to be retried still has a method to be told by. */
    private boolean coversUnits(TestDescriptor top, String outer) {
        Set<String> missing = new HashSet<>(plan.unitsHere(outer));
        for (TestDescriptor node : top.getDescendants()) {
            String className = classOf(node);
            String method = Sources.methodName(node.getSource());
            if (className == null || method == null && !node.isTest() || className.length() < outer.length()) {
                continue;
            }
            for (String name : names(node, method)) {
                missing.remove(className.substring(outer.length()) + '#' + ShardPlan.bare(name));
            }
        }
        return missing.isEmpty();
    }
}
