package dev.rasher.gradle;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import org.gradle.api.DefaultTask;
import org.gradle.api.GradleException;
import org.gradle.api.file.RegularFileProperty;
import org.gradle.api.tasks.OutputFile;
import org.gradle.api.tasks.TaskAction;
import org.gradle.work.DisableCachingByDefault;

/**
 * Lays out the harness for the test JVM. Gradle rewrites the classes of its plugins, and those would not load there;
 * so the jar travels inside the plugin as a file.
 */
@DisableCachingByDefault(because = "copying is cheaper than fetching")
public abstract class HarnessTask extends DefaultTask {
    private static final String RESOURCE = "/META-INF/rasher/rasher-harness.jar";

    /**
     * Where the jar goes.
     *
     * @return the setting
     */
    @OutputFile
    public abstract RegularFileProperty getJar();

    /**
     * Copies it.
     *
     * @throws IOException where it cannot be written
     */
    @TaskAction
    public void act() throws IOException {
        File jar = getJar().get().getAsFile();
        try (InputStream in = HarnessTask.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new GradleException("rasher: the plugin's jar lacks " + RESOURCE);
            }
            Files.copy(in, jar.toPath(), StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
