package dev.rasher.gradle;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Proves that every planned test has exactly one accepted result. Tests that the plan does not know are new ones: the
 * harness runs each on one shard.
 */
public abstract class VerifyTask extends RasherTask {
    @Override
    void perform() throws IOException {
        List<String> arguments = new ArrayList<>(List.of("verify", "--accept-unknown", "--plan",
                getPlan().get().getAsFile().getPath()));
        arguments.addAll(results());
        getLogger().lifecycle("rasher: {}", rasher(arguments).orThrow().data().strip());
    }
}
