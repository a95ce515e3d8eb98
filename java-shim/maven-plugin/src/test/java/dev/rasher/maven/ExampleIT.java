package dev.rasher.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The example does what its page says, command by command. */
class ExampleIT {
    @TempDir
    Path folder;

    @Test
    void everyCommandOfThePageWorks() throws Exception {
        Path example = Path.of("../examples/maven");
        MavenBuild build = new MavenBuild(folder, example);
        List<String> page = new ArrayList<>();
        for (String line : Files.readAllLines(example.resolve("README.md"))) {
            if (line.startsWith("mvn ") || line.startsWith("FLAKY=1 mvn ")) {
                page.add(line.replaceFirst(" *#.*", ""));
            }
        }
        assertEquals(8, page.size(), page::toString);
        for (String command : page) {
            boolean isFlaky = command.startsWith("FLAKY=1 ");
            String[] arguments = command.replaceFirst("^(FLAKY=1 )?mvn ", "").split(" ");
            assertEquals(0, build.run(isFlaky ? Map.of("FLAKY", "1") : Map.of(), arguments), build::log);
            if (command.startsWith("mvn rasher:verify")) {
                assertTrue(build.log().contains("9 of 9 planned tests have a result of their own"), build::log);
            }
        }
        assertEquals(Set.of("example.OrderTest$WhenSent#isPaid"), build.began(2).keySet(), build::log);
    }

    /** Job by job, each in a checkout of its own, with nothing but the artifacts that the file hands on. */
    @Test
    void theFilesForTheCiDoWhatTheySay() throws Exception {
        Path example = Path.of("../examples/maven").toAbsolutePath();
        MavenBuild build = new MavenBuild(folder, example);
        assertEquals(0, build.run("test", "rasher:collect"), build::log);
        for (String file : List.of(".github/workflows/tests.yml", ".gitlab-ci.yml")) {
            Path played = folder.resolve("played" + file.replace('/', '-'));
            if (file.startsWith(".github")) {
                // With a history there is a plan; without one, classes are spread by their names.
                Path cache = Files.createDirectories(played.resolve("cache"));
                Files.move(build.folder().resolve(".rasher"), cache.resolve(".rasher"));
            }
            String log = build.play(example, file, played);
            assertTrue(log.contains("shard 4/4: mvn "), log);
            assertTrue(Files.isDirectory(played.resolve("cache/.rasher")), log);
            if (file.startsWith(".github")) {
                assertTrue(log.contains("9 of 9 planned tests have a result of their own"), log);
            }
        }
    }
}
