package dev.rasher.harness;

import java.lang.annotation.Annotation;
import java.lang.reflect.Array;
import java.lang.reflect.Method;

/**
 * Tells classes whose tests build on each other, which therefore run on one shard and are retried whole: an order of
 * methods or one instance for all of them (Jupiter), {@code @Stepwise} (Spock), {@code @FixMethodOrder} (JUnit 4),
 * dependencies between methods (TestNG).
 */
final class Stateful {
    private Stateful() {}

    static boolean is(Class<?> type) {
        for (Class<?> at = type; at != null && at != Object.class; at = at.getSuperclass()) {
            if (isMarked(at) || dependsWithin(at)) {
                return true;
            }
        }
        return type.getEnclosingClass() != null && is(type.getEnclosingClass());
    }

    private static boolean isMarked(Class<?> type) {
        for (Annotation mark : type.getAnnotations()) {
            switch (mark.annotationType().getName()) {
                case "org.junit.jupiter.api.TestMethodOrder":
                case "org.junit.FixMethodOrder":
                case "spock.lang.Stepwise":
                    return true;
                case "org.junit.jupiter.api.TestInstance":
                    if (String.valueOf(value(mark, "value")).equals("PER_CLASS")) {
                        return true;
                    }
                    break;
                default:
            }
        }
        return false;
    }

    private static boolean dependsWithin(Class<?> type) {
        for (Method method : type.getDeclaredMethods()) {
            for (Annotation mark : method.getAnnotations()) {
                if (mark.annotationType().getName().equals("org.testng.annotations.Test")
                        && (isFilled(value(mark, "dependsOnMethods")) || isFilled(value(mark, "dependsOnGroups")))) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean isFilled(Object array) {
        return array != null && Array.getLength(array) > 0;
    }

    private static Object value(Annotation mark, String name) {
        try {
            return mark.annotationType().getMethod(name).invoke(mark);
        } catch (ReflectiveOperationException e) {
            return null;
        }
    }
}
