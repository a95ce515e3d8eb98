package dev.rasher.maven;

import dev.rasher.harness.Settings;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.project.MavenProject;

/** Tests that ran and were not recorded: a verdict that does not know of them would be worth nothing. */
final class Unrecorded {
    private Unrecorded() {}

    /** Fails where a module has reports newer than its selection, and no recording. */
    static void refuse(MavenProject module) throws IOException, MojoFailureException {
        Path selected = RasherMojo.folder(module).resolve("settings").resolve(Settings.RESOURCE);
        if (!Files.exists(selected) || !Recording.list(RasherMojo.attempts(module, 1)).isEmpty()) {
            return;
        }
        for (String folder : List.of("surefire-reports", "failsafe-reports")) {
            Path reports = new File(module.getBuild().getDirectory(), folder).toPath();
            if (Files.isDirectory(reports) && anyNewer(reports, selected)) {
                throw new MojoFailureException("rasher: the tests of " + module.getName() + " ran and were not recorded ("
                        + reports + "); they must run on the JUnit Platform or by TestNG: Surefire 3.6 runs all"
                        + " frameworks on the platform, older ones JUnit 5 and 6 alone");
            }
        }
    }

    private static boolean anyNewer(Path reports, Path than) throws IOException {
        List<Path> all;
        try (Stream<Path> files = Files.list(reports)) {
            all = files.filter(file -> file.getFileName().toString().matches("TEST-.*\\.xml")).collect(Collectors.toList());
        }
        for (Path file : all) {
            if (Files.getLastModifiedTime(file).compareTo(Files.getLastModifiedTime(than)) > 0) {
                return true;
            }
        }
        return false;
    }
}
