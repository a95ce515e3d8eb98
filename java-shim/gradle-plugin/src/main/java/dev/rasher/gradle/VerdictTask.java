package dev.rasher.gradle;

import dev.rasher.Attempts;
import dev.rasher.Rasher;
import dev.rasher.Transport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.gradle.api.GradleException;
import org.gradle.api.provider.Property;
import org.gradle.api.tasks.Internal;

/** Judges all rounds; fails the build where the verdict blocks or a test has no result that counts. */
public abstract class VerdictTask extends RasherTask {
    /**
     * Whether a test that failed and then passed fails the build all the same.
     *
     * @return the setting
     */
    @Internal
    public abstract Property<Boolean> getFailOnPassedAfterRetry();

    @Override
    void perform() throws IOException {
        if (recorded(1).isEmpty()) {
            return;
        }
        List<String> arguments = new ArrayList<>(List.of("verdict"));
        arguments.addAll(evidence());
        rasher(arguments).orThrow();
        Set<String> failedOnce = failed(1);
        if (!failedOnce.isEmpty()) {
            getLogger().lifecycle("rasher: passed after retry: {}", String.join(", ", failedOnce));
            if (getFailOnPassedAfterRetry().get()) {
                throw new GradleException("rasher: " + failedOnce.size() + " tests passed only after a retry,"
                        + " and failOnPassedAfterRetry is set: " + String.join(", ", failedOnce));
            }
        }
    }

    /** The tests that failed in a round. */
    private Set<String> failed(int round) throws IOException {
        List<byte[]> files = new ArrayList<>();
        for (Path file : recorded(round)) {
            files.add(Files.readAllBytes(file));
        }
        Attempts attempts = Rasher.open(Transport.AUTO).read(files);
        Set<String> failed = new TreeSet<>();
        for (int at = 0; at < attempts.size(); at++) {
            if (!Set.of("passed", "skipped").contains(attempts.outcome(at))) {
                failed.add(attempts.test(at));
            }
        }
        return failed;
    }
}
