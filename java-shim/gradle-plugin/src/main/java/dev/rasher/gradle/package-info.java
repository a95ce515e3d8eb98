/** The Gradle plugin {@code dev.rasher}: public interface of Gradle only, configuration cache and build cache safe. */
package dev.rasher.gradle;
