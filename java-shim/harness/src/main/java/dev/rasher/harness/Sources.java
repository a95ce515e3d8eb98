package dev.rasher.harness;

import java.util.Optional;
import org.junit.platform.engine.TestSource;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;

/** Reads the class and the method out of a node's source. */
final class Sources {
    private Sources() {}

    /** The binary name of the class, or null where the source names none. */
    static String className(Optional<TestSource> source) {
        TestSource known = source.orElse(null);
        if (known instanceof MethodSource) {
            return ((MethodSource) known).getClassName();
        }
        return known instanceof ClassSource ? ((ClassSource) known).getClassName() : null;
    }

    /** The name of the method, or null where the source names none. */
    static String methodName(Optional<TestSource> source) {
        TestSource known = source.orElse(null);
        return known instanceof MethodSource ? ((MethodSource) known).getMethodName() : null;
    }
}
