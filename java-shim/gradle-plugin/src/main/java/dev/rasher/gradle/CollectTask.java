package dev.rasher.gradle;

import dev.rasher.Answer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.gradle.api.provider.Property;
import org.gradle.api.tasks.Internal;

/** Records into history what the tests of a project did, and of the projects below it; doing it twice changes nothing. */
public abstract class CollectTask extends RasherTask {
    private static final Pattern RUN = Pattern.compile("\"run\":\\s*\"([^\"]*)\"");
    private static final Pattern COUNT = Pattern.compile("\"(\\w+)\":\\s*([1-9]\\d*)");

    /**
     * What keeps the run.
     *
     * @return the service
     */
    @Internal
    public abstract Property<RunOfBuild> getRunOfBuild();

    @Override
    void perform() throws IOException {
        for (int round = 1; round <= lastRound(); round++) {
            List<Path> files = recorded(round);
            if (!files.isEmpty()) {
                List<String> arguments = arguments(round, files);
                getRunOfBuild().get().record(known -> record(arguments, known));
            }
        }
    }

    private List<String> arguments(int round, List<Path> files) {
        List<String> arguments = new ArrayList<>(List.of("record", "--json"));
        files.forEach(file -> arguments.add(file.toString()));
        arguments.addAll(List.of("--attempt", String.valueOf(round)));
        Path plan = getPlan().get().getAsFile().toPath();
        if (getShard().isPresent() && round == 1) {
            arguments.addAll(List.of("--shard", getShard().get().replaceFirst("/.*", "")));
            if (Files.exists(plan)) {
                arguments.addAll(List.of("--plan", plan.toString()));
            }
        }
        return arguments;
    }

    private String record(List<String> arguments, String known) {
        List<String> all = new ArrayList<>(arguments);
        String run = known == null ? getRun().getOrNull() : known;
        if (run != null) {
            all.addAll(List.of("--run", run));
        }
        Answer answer = rasher(all).orThrow();
        List<String> counts = new ArrayList<>();
        Matcher count = COUNT.matcher(answer.data());
        while (count.find()) {
            counts.add(count.group(2) + ' ' + count.group(1).replace('_', ' '));
        }
        getLogger().lifecycle("rasher: recorded {}", String.join(", ", counts));
        Matcher name = RUN.matcher(answer.data());
        return name.find() ? name.group(1) : run;
    }
}
