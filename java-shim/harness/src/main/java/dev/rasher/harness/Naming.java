package dev.rasher.harness;

import java.util.Arrays;
import java.util.regex.Pattern;

/**
 * How a test is called, so that its id equals the one made from the tool's own XML report.
 *
 * <table>
 * <caption>{@code class#name} of the same tests</caption>
 * <tr><th>test</th><th>{@link #SUREFIRE}</th><th>{@link #GRADLE}</th></tr>
 * <tr><td>{@code void adds()}</td><td>{@code ATest#adds}</td><td>{@code ATest#adds()}</td></tr>
 * <tr><td>with a display name</td><td>{@code ATest#adds}</td><td>{@code ATest#the display name}</td></tr>
 * <tr><td>parameterised</td><td>{@code ATest#sized(int)[2]}</td><td>{@code ATest#[2] 7}</td></tr>
 * <tr><td>nested</td><td>{@code ATest$Inner#deep}</td><td>{@code ATest$Inner#deep()}</td></tr>
 * <tr><td>repeated, dynamic</td><td>{@code ATest#again()[2]}</td><td>{@code ATest#repetition 2 of 3}</td></tr>
 * <tr><td>JUnit 4 parameterised</td><td>{@code ATest#t[P1]}</td><td>{@code ATest#t[P1]}</td></tr>
 * <tr><td>TestNG with data, without the JUnit Platform</td><td>{@code ATest#t[1, a](1)}</td>
 * <td>{@code ATest#t[0](1, a)}</td></tr>
 * <tr><td>Spock iteration</td><td>{@code ASpec#sum of 1}, and the feature itself</td><td>{@code ASpec#sum of 1}</td></tr>
 * </table>
 *
 * <p>Of what an object without a text of its own prints, {@code Shape@5b251fb9}, only {@code Shape@} is taken: the
 * rest is another in every JVM.
 *
 * <p>Gradle prints the same name for different tests (two methods with the same arguments, every invocation of a
 * parameterised class). Such tests share an id; the recording keeps their unique ids, and whoever reads it lets the
 * worst of them speak for all.
 */
enum Naming {
    /** Maven Surefire and Failsafe 3. */
    SUREFIRE,
    /** Gradle's test task. */
    GRADLE;

    private static final Pattern LAMBDA = Pattern.compile("\\$\\$Lambda(?:\\$\\d+)?/(?:0x)?[0-9a-f]+");
    private static final Pattern MADE = Pattern.compile("(\\$Proxy|\\$MockitoMock\\$|\\$ByteBuddy\\$)[0-9A-Za-z]+");
    private static final Pattern HASH_CODE = Pattern.compile("(?<=[\\w;$\\]])@[0-9a-f]{5,8}(?![\\w.@-])");

    static Naming current() {
        String said = Settings.get("naming");
        if (said == null) {
            return System.getProperty("org.gradle.test.worker") == null ? SUREFIRE : GRADLE;
        }
        if (said.equals("surefire") || said.equals("gradle")) {
            return said.equals("gradle") ? GRADLE : SUREFIRE;
        }
        throw new IllegalArgumentException("naming `" + said + "` is neither `surefire` nor `gradle`");
    }

    /** The name of a test or of a method that failed as a whole. */
    String name(String displayName, String legacyName) {
        if (this == GRADLE) {
            return stable(displayName);
        }
        return stable(legacyName.endsWith("()") ? legacyName.substring(0, legacyName.length() - 2) : legacyName);
    }

    /**
     * A name without what differs in every JVM: the hash codes that objects without a text of their own print, and the
     * numbers of classes that are made at run time. A test would else be new in each run, and missing in the next.
     */
    static String stable(String name) {
        if (name.indexOf('@') < 0 && name.indexOf('$') < 0) {
            return name;
        }
        String plain = LAMBDA.matcher(name).replaceAll("\\$\\$Lambda");
        plain = MADE.matcher(plain).replaceAll("$1");
        return HASH_CODE.matcher(plain).replaceAll("@");
    }

    /** The name of a TestNG test that is about to run for the time {@code invocation}, from 0. */
    String testNg(String name, Object[] parameters, int invocation) {
        if (parameters == null || parameters.length == 0) {
            return name;
        }
        if (this == SUREFIRE) {
            return stable(name + Arrays.toString(parameters) + '(' + (invocation + 1) + ')');
        }
        StringBuilder all = new StringBuilder(name).append('[').append(invocation).append("](");
        for (int at = 0; at < parameters.length; at++) {
            all.append(at == 0 ? "" : ", ").append(parameters[at]);
        }
        return stable(all.append(')').toString());
    }

    /** True where the tool reports a node that is a test and holds tests, such as a Spock feature. */
    boolean reportsMixed() {
        return this == SUREFIRE;
    }

    /** The name under which the tool reports that a class failed outside its tests. */
    String classFailure(boolean anyExecuted, boolean anyReported) {
        boolean late = this == GRADLE ? anyReported : anyExecuted;
        return late ? "executionError" : "initializationError";
    }
}
