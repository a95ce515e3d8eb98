package dev.rasher.gradle;

import org.gradle.api.file.DirectoryProperty;
import org.gradle.api.file.RegularFileProperty;
import org.gradle.api.provider.Property;

/**
 * The block {@code rasher { }}. Each setting is also a Gradle property of its name, {@code -Prasher.shard=3/8}, which
 * goes first.
 */
public interface RasherExtension {
    /**
     * Which shard to run, as {@code I/N}; all tests run where it is missing.
     *
     * @return the setting
     */
    Property<String> getShard();

    /**
     * The plan; made where the file is missing. By default {@code build/rasher/plan.json} of the root project.
     *
     * @return the setting
     */
    RegularFileProperty getPlan();

    /**
     * Where history is kept; by default {@code .rasher} of the root project.
     *
     * @return the setting
     */
    DirectoryProperty getStore();

    /**
     * Os, jdk, browser and job in a short name; durations never mix between environments. By default {@code default}.
     *
     * @return the setting
     */
    Property<String> getEnvironment();

    /**
     * The run that all its shards and retries share; by default the CI's.
     *
     * @return the setting
     */
    Property<String> getRun();

    /**
     * How often what failed is run again, each time in a JVM of its own; 0 by default.
     *
     * @return the setting
     */
    Property<Integer> getMaxRetries();

    /**
     * With more failures than this nothing is run again: so many are no accident. 0, the default, means no limit.
     *
     * @return the setting
     */
    Property<Integer> getMaxFailures();

    /**
     * Whether a test that failed and then passed fails the build all the same; false by default.
     *
     * @return the setting
     */
    Property<Boolean> getFailOnPassedAfterRetry();
}
