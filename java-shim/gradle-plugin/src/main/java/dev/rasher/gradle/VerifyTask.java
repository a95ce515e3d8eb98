package dev.rasher.gradle;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Proves that every planned test has exactly one accepted result. */
public abstract class VerifyTask extends RasherTask {
    @Override
    void perform() throws IOException {
        List<String> arguments = new ArrayList<>(List.of("verify"));
        arguments.addAll(evidence());
        getLogger().lifecycle("rasher: {}", rasher(arguments).orThrow().data().strip());
    }
}
