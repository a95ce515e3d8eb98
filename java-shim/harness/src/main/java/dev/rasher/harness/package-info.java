/**
 * Selects a shard's tests and records attempts inside the test JVM.
 *
 * <p>Everything here is found by {@link java.util.ServiceLoader} once the jar is on the test class path, and does
 * nothing at all without settings ({@link dev.rasher.harness.Settings}). Plain Java 8, no dependency but the JUnit
 * Platform or TestNG that is there anyway, no native code, and never a byte to standard output or standard error: build tools
 * use those as channels.
 */
package dev.rasher.harness;
