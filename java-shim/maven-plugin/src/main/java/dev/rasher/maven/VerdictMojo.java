package dev.rasher.maven;

import dev.rasher.Answer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.Mojo;

/** Judges the run by all its rounds; fails the build where the verdict blocks. */
@Mojo(name = "verdict", aggregator = true, threadSafe = true)
public final class VerdictMojo extends RasherMojo {
    /** Made by Maven. */
    public VerdictMojo() {}

    @Override
    void perform() throws IOException, MojoFailureException {
        if (isEmptyShard()) {
            return;
        }
        List<String> arguments = new ArrayList<>(List.of("verdict"));
        arguments.addAll(evidence());
        Answer answer = rasher(arguments);
        answer.data().lines().forEach(line -> getLog().info("rasher: " + line));
        answer.orThrow();
    }
}
