package dev.rasher.harness;

import org.junit.platform.engine.TestDescriptor;

/** Writes down the tests that would run, one line each, in the form of a recording. */
final class Listing {
    private final Naming naming;
    private final AttemptLog log;

    Listing(Naming naming) {
        this.naming = naming;
        this.log = AttemptLog.open(naming);
    }

    /** Notes a node that is a test, or a method that makes tests; true where it was one. */
    boolean add(TestDescriptor node) {
        boolean makesTests = Sources.methodName(node.getSource()) != null && node.mayRegisterTests();
        if (!node.isTest() && !makesTests) {
            return false;
        }
        String className = Sources.className(node.getSource());
        TestDescriptor parent = node.getParent().orElse(node);
        if (log != null) {
            JsonLine line = new JsonLine().text("list", className == null ? parent.getLegacyReportingName() : className)
                    .text("name", naming.name(node.getDisplayName(), node.getLegacyReportingName()))
                    .text("unique", node.getUniqueId().toString());
            log.write(makesTests ? line.number("makes_tests", 1) : line);
            log.flush();
        }
        return node.getChildren().isEmpty();
    }
}
