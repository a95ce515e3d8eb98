package dev.rasher.maven;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/** Records what all modules ran into history; recording twice changes nothing. */
@Mojo(name = "collect", aggregator = true, threadSafe = true)
public final class CollectMojo extends RasherMojo {
    private static final Pattern RUN = Pattern.compile("\"run\":\\s*\"([^\"]*)\"");
    private static final Pattern COUNT = Pattern.compile("\"(\\w+)\":\\s*([1-9]\\d*)");

    /** The branch; by default the CI's. */
    @Parameter(property = "rasher.branch")
    private String branch;

    /** The commit under test; by default the CI's. */
    @Parameter(property = "rasher.commit")
    private String commit;

    /** Made by Maven. */
    public CollectMojo() {}

    @Override
    void perform() throws IOException, MojoFailureException {
        requireRecordings();
        String known = run;
        for (int round = 1; round <= rounds(); round++) {
            List<Path> files = recordings(round);
            if (!files.isEmpty()) {
                known = record(round, files, known);
            }
        }
    }

    /** Records a round; gives the run that it is now known as. */
    private String record(int round, List<Path> files, String known) {
        List<String> arguments = new ArrayList<>(List.of("record", "--json"));
        files.forEach(file -> arguments.add(file.toString()));
        arguments.addAll(List.of("--attempt", String.valueOf(round)));
        if (round == 1 && Files.exists(plan.toPath())) {
            arguments.addAll(List.of("--plan", plan.getPath()));
        }
        if (shard != null && round == 1) {
            arguments.addAll(List.of("--shard", shard.substring(0, shard.indexOf('/'))));
        }
        add(arguments, "--run", known);
        add(arguments, "--branch", branch);
        add(arguments, "--commit", commit);
        String answer = rasher(arguments).orThrow().data();
        Matcher name = RUN.matcher(answer);
        String recorded = name.find() ? name.group(1) : known;
        List<String> counts = new ArrayList<>();
        Matcher count = COUNT.matcher(answer);
        while (count.find()) {
            counts.add(count.group(2) + ' ' + count.group(1).replace('_', ' '));
        }
        getLog().info("rasher: recorded as run " + recorded + ": " + String.join(", ", counts));
        return recorded;
    }

    private static void add(List<String> arguments, String option, String value) {
        if (value != null) {
            arguments.addAll(List.of(option, value));
        }
    }
}
