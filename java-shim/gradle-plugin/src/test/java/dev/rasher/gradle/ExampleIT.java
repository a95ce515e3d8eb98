package dev.rasher.gradle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example does what its page says, command by command. */
class ExampleIT {
    @TempDir
    Path folder;

    @Test
    void everyCommandOfThePageWorks() throws Exception {
        Path example = Path.of("../examples/gradle");
        GradleBuild build = GradleBuild.copy(example, folder);
        List<String> page = new ArrayList<>();
        for (String line : Files.readAllLines(example.resolve("README.md"))) {
            if (line.startsWith("gradle ") || line.startsWith("FLAKY=1 gradle ")) {
                page.add(line.replaceFirst(" *#.*", ""));
            }
        }
        assertEquals(4, page.size(), page::toString);
        for (String command : page) {
            List<String> arguments = new ArrayList<>(
                    List.of(command.replaceFirst("^(FLAKY=1 )?gradle ", "").split(" ")));
            arguments.add("-Dmaven.repo.local=" + System.getProperty("test.repository"));
            Map<String, String> more = command.startsWith("FLAKY=1 ") ? Map.of("FLAKY", "1") : Map.of();
            String log = build.run(more, arguments.toArray(new String[0]));
            assertEquals(0, build.exitCode(), log);
        }
        assertEquals(Map.of("example.OrderTest$WhenSent#isPaid()", 1), build.began(2));
    }

    /** Job by job, each in a checkout of its own, with nothing but the artifacts that the file hands on. */
    @Test
    void theFilesForTheCiDoWhatTheySay() throws Exception {
        Path example = folder.resolve("example");
        GradleBuild build = GradleBuild.copy(Path.of("../examples/gradle"), example);
        Path gradle = Files.createDirectories(folder.resolve("bin")).resolve("gradle");
        // The example's own wrapper would be beside it in a repository.
        for (Path script : List.of(gradle, example.resolve("gradlew"))) {
            Files.writeString(script, "#!/bin/sh\nexec '" + System.getProperty("gradle.home") + "/bin/gradle' '-Dmaven.repo.local="
                    + System.getProperty("test.repository") + "' \"$@\"\n");
            script.toFile().setExecutable(true);
        }
        String recorded = build.run(Map.of(), "test", "rasherCollect",
                "-Dmaven.repo.local=" + System.getProperty("test.repository"));
        assertEquals(0, build.exitCode(), recorded);
        for (String file : List.of(".github/workflows/tests.yml", ".gitlab-ci.yml")) {
            Path played = folder.resolve("played" + file.replace('/', '-'));
            Path cache = Files.createDirectories(played.resolve("cache"));
            // With a history there is a plan; without one, classes are spread by their names.
            if (file.startsWith(".github")) {
                Files.move(example.resolve(".rasher"), cache.resolve(".rasher"));
            }
            Path log = folder.resolve("played.txt");
            ProcessBuilder builder = new ProcessBuilder("bash", Path.of("../examples/rehearse").toAbsolutePath().toString(),
                    example.toString(), file, played.toString()).redirectErrorStream(true).redirectOutput(log.toFile());
            builder.environment().put("RASHER_COMMAND", System.getProperty("rasher.command"));
            builder.environment().put("PATH", gradle.getParent() + ":" + System.getenv("PATH"));
            builder.environment().keySet().removeIf(name -> name.equals("CI") || name.startsWith("GITHUB_")
                    || name.startsWith("GITLAB_") || name.startsWith("CI_"));
            assertEquals(0, builder.start().waitFor(), () -> file + '\n' + read(log));
            assertTrue(read(log).contains("shard 4/4: "), read(log));
            assertTrue(Files.isDirectory(played.resolve("cache/.rasher")), read(log));
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
