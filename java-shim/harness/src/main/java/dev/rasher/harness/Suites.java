package dev.rasher.harness;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.UniqueId;

/**
 * Tells classes that run the tests of other classes. A plan knows those tests by the classes they stand in, so that a
 * suite belongs to every shard that has any of them.
 */
final class Suites {
    /** How the constants of a class file tell its annotation. */
    private static final String[] MARKS = {
        "Lorg/junit/platform/suite/api/Suite;", "Lorg/junit/runners/Suite$SuiteClasses;"
    };

    private Suites() {}

    /** True for the class file of a suite. */
    static boolean is(byte[] classFile) {
        // A character a byte: the marks are ASCII.
        String constants = new String(classFile, StandardCharsets.ISO_8859_1);
        for (String mark : MARKS) {
            if (constants.contains(mark)) {
                return true;
            }
        }
        return false;
    }

    /** True for the node of a suite, which fails when it is run with nothing left below it. */
    static boolean is(TestDescriptor node) {
        return last(node).getType().equals("suite") && !node.getChildren().isEmpty();
    }

    /** True for what may be a test or make some; the engines within a suite are neither. */
    static boolean isLeaf(TestDescriptor node) {
        return node.getChildren().isEmpty() && !last(node).getType().equals("engine");
    }

    private static UniqueId.Segment last(TestDescriptor node) {
        List<UniqueId.Segment> segments = node.getUniqueId().getSegments();
        return segments.get(segments.size() - 1);
    }
}
