package dev.rasher.gradle;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.gradle.api.provider.Property;
import org.gradle.api.tasks.Internal;

/** Records what the tests of a project did into history; recording twice changes nothing. */
public abstract class CollectTask extends RasherTask {
    /**
     * Which shard ran, as {@code I/N}.
     *
     * @return the setting
     */
    @Internal
    public abstract Property<String> getShard();

    @Override
    void perform() throws IOException {
        for (int round = 1; round <= lastRound(); round++) {
            List<Path> files = recorded(round);
            if (files.isEmpty()) {
                continue;
            }
            List<String> arguments = new ArrayList<>(List.of("record"));
            files.forEach(file -> arguments.add(file.toString()));
            arguments.addAll(List.of("--attempt", String.valueOf(round)));
            if (Files.exists(planOf(round))) {
                arguments.addAll(List.of("--plan", planOf(round).toString()));
            }
            if (getShard().isPresent() && round == 1) {
                arguments.addAll(List.of("--shard", getShard().get().replaceFirst("/.*", "")));
            }
            if (getRun().isPresent()) {
                arguments.addAll(List.of("--run", getRun().get()));
            }
            getLogger().lifecycle("rasher: {}", rasher(arguments).orThrow().data().strip());
        }
    }
}
