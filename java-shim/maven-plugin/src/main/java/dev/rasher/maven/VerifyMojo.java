package dev.rasher.maven;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.Mojo;

/**
 * Proves that every planned test has exactly one accepted result; fails the build where one has not. Tests that the plan
 * does not know are new ones: the harness runs each on one shard. What one JVM runs several times is a rerun of its own.
 */
@Mojo(name = "verify", aggregator = true, threadSafe = true)
public final class VerifyMojo extends RasherMojo {
    /** Made by Maven. */
    public VerifyMojo() {}

    @Override
    void perform() throws IOException, MojoFailureException {
        if (isEmptyShard()) {
            return;
        }
        if (!Files.exists(plan.toPath())) {
            getLog().warn("rasher: there is no plan at " + plan + ": it is proved only that what ran has one result each");
        }
        List<String> arguments = new ArrayList<>(List.of("verify", "--accept-unknown", "--accept-repeated"));
        arguments.addAll(evidence());
        rasher(arguments).orThrow().data().lines().forEach(line -> getLog().info("rasher: " + line));
    }
}
