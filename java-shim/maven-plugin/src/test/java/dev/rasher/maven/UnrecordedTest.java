package dev.rasher.maven;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.apache.maven.model.Build;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.project.MavenProject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnrecordedTest {
    @Test
    void reportsWithoutARecordingStopAVerdict(@TempDir Path folder) throws IOException {
        MavenProject module = new MavenProject();
        module.setBuild(new Build());
        module.getBuild().setDirectory(folder.toString());
        Path report = write(folder.resolve("surefire-reports/TEST-demo.ATest.xml"), 1_000);
        // Nothing was selected here: not this plugin's tests.
        assertDoesNotThrow(() -> Unrecorded.refuse(module));
        write(folder.resolve("rasher/settings/rasher-harness.properties"), 2_000);
        // The report is of an earlier build, in which the module may well have had other tests.
        assertDoesNotThrow(() -> Unrecorded.refuse(module));
        Files.setLastModifiedTime(report, FileTime.fromMillis(3_000));
        assertThrows(MojoFailureException.class, () -> Unrecorded.refuse(module));
        write(folder.resolve("rasher/attempts-1/x.attempts.jsonl"), 3_000);
        assertDoesNotThrow(() -> Unrecorded.refuse(module));
    }

    private static Path write(Path file, long millis) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, "");
        return Files.setLastModifiedTime(file, FileTime.fromMillis(millis));
    }
}
