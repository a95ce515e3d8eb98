package dev.rasher.gradle;

import java.util.ArrayList;
import java.util.List;
import org.gradle.api.file.RegularFileProperty;
import org.gradle.api.provider.Property;
import org.gradle.api.tasks.Input;
import org.gradle.api.tasks.InputFile;
import org.gradle.api.tasks.Internal;
import org.gradle.api.tasks.Optional;
import org.gradle.api.tasks.PathSensitive;
import org.gradle.api.tasks.PathSensitivity;
import org.gradle.process.CommandLineArgumentProvider;

/** Tells the harness in the test JVM what to do; the content of the shard file is an input, where it lies is not. */
public abstract class Arguments implements CommandLineArgumentProvider {
    /**
     * The shard file; without it every test runs.
     *
     * @return the setting
     */
    @InputFile
    @Optional
    @PathSensitive(PathSensitivity.NONE)
    public abstract RegularFileProperty getShardFile();

    /**
     * The module, where the build has several.
     *
     * @return the setting
     */
    @Input
    public abstract Property<String> getModule();

    /**
     * Where to record.
     *
     * @return the setting
     */
    @Internal
    public abstract Property<java.io.File> getAttempts();

    /**
     * Which round this is.
     *
     * @return the setting
     */
    @Input
    public abstract Property<Integer> getRound();

    @Override
    public Iterable<String> asArguments() {
        List<String> arguments = new ArrayList<>();
        if (getShardFile().isPresent()) {
            arguments.add("-Drasher.harness.shard=" + getShardFile().get().getAsFile());
        }
        if (!getModule().get().isEmpty()) {
            arguments.add("-Drasher.harness.module=" + getModule().get());
        }
        arguments.add("-Drasher.harness.record=" + getAttempts().get());
        arguments.add("-Drasher.harness.naming=gradle");
        arguments.add("-Drasher.harness.attempt=" + getRound().get());
        return arguments;
    }
}
