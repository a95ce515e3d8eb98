package dev.rasher.harness;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.testng.IMethodInstance;
import org.testng.ITestNGMethod;

/**
 * Which TestNG methods run on a shard: those that {@link ShardPlan} takes, and whatever these depend upon, in other
 * classes too. What is there only for the sake of others is planned on another shard, and is not recorded here.
 */
final class TestNgSelection {
    private final ShardPlan plan;
    /** By {@link #key}: methods that this shard has in the plan. */
    private final Set<String> own = new HashSet<>();

    /** With a null plan everything runs. */
    TestNgSelection(ShardPlan plan) {
        this.plan = plan;
    }

    /** True where a method is this shard's own. */
    boolean isOwn(ITestNGMethod method) {
        return plan == null || own.contains(key(method));
    }

    /** True where this shard has any method of a class. */
    boolean isOwn(String className) {
        return plan == null || own.stream().anyMatch(key -> key.startsWith(className + '#'));
    }

    /** What is to run, in the order in which it came. */
    List<IMethodInstance> select(List<IMethodInstance> all) {
        if (plan == null) {
            return all;
        }
        List<ITestNGMethod> methods = new ArrayList<>();
        all.forEach(instance -> methods.add(instance.getMethod()));
        Deque<ITestNGMethod> open = new ArrayDeque<>();
        for (ITestNGMethod method : methods) {
            if (takes(method, methods)) {
                own.add(key(method));
                open.add(method);
            }
        }
        Set<String> running = new HashSet<>(own);
        while (!open.isEmpty()) {
            for (ITestNGMethod needed : prerequisites(open.remove(), methods)) {
                if (running.add(key(needed))) {
                    open.add(needed);
                }
            }
        }
        List<IMethodInstance> kept = new ArrayList<>();
        for (IMethodInstance instance : all) {
            if (running.contains(key(instance.getMethod()))) {
                kept.add(instance);
            }
        }
        return kept;
    }

    private boolean takes(ITestNGMethod method, Collection<ITestNGMethod> all) {
        String className = className(method);
        if (!plan.isSplit(className)) {
            return plan.takesClass(className);
        }
        if (Stateful.is(method.getRealClass()) || plan.retry() && !coversUnits(ShardPlan.outermost(className), all)) {
            return plan.takesRest(className) || plan.retry();
        }
        return plan.takesMethod(className, Collections.singleton(method.getMethodName()));
    }

    /** True where every unit that is to be retried still has a method to be told by. */
    private boolean coversUnits(String outer, Collection<ITestNGMethod> all) {
        Set<String> missing = new HashSet<>(plan.unitsHere(outer));
        for (ITestNGMethod method : all) {
            String className = className(method);
            if (ShardPlan.outermost(className).equals(outer)) {
                missing.remove(className.substring(outer.length()) + '#' + method.getMethodName());
            }
        }
        return missing.isEmpty();
    }

    /** What a method directly depends upon. */
    static Collection<ITestNGMethod> prerequisites(ITestNGMethod method, Collection<ITestNGMethod> all) {
        Set<ITestNGMethod> found = new LinkedHashSet<>();
        for (String name : method.getMethodsDependedUpon()) {
            for (ITestNGMethod other : all) {
                if (isNamed(other, name)) {
                    found.add(other);
                }
            }
        }
        for (String group : method.getGroupsDependedUpon()) {
            for (ITestNGMethod other : all) {
                for (String of : other.getGroups()) {
                    if (matches(group, of)) {
                        found.add(other);
                    }
                }
            }
        }
        return found;
    }

    /** TestNG names a prerequisite by its class and method; the class may be the one that declares it. */
    private static boolean isNamed(ITestNGMethod method, String name) {
        Class<?> declaring = method.getConstructorOrMethod().getDeclaringClass();
        String simple = '.' + method.getMethodName();
        return matches(name, className(method) + simple) || matches(name, declaring.getName() + simple)
                || name.equals(method.getMethodName());
    }

    private static boolean matches(String pattern, String text) {
        if (pattern.equals(text)) {
            return true;
        }
        try {
            return Pattern.matches(pattern.replace("$", "\\$"), text);
        } catch (PatternSyntaxException e) {
            return false;
        }
    }

    static String className(ITestNGMethod method) {
        return method.getRealClass().getName();
    }

    /** Instances and overloads of a method run together. */
    static String key(ITestNGMethod method) {
        return className(method) + '#' + method.getMethodName();
    }
}
