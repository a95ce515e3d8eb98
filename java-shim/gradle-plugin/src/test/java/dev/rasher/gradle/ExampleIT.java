package dev.rasher.gradle;

import static org.junit.jupiter.api.Assertions.assertEquals;

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
}
