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

/** Fails the build where a test is still outstanding after the last round, seen again or not. */
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
        Path left = getTemporaryDir().toPath().resolve("outstanding.json");
        int outstanding = Outstanding.plan(this, left);
        Set<String> failedOnce = failed(1);
        if (outstanding > 0) {
            throw new GradleException("rasher: " + outstanding + " tests are still outstanding after "
                    + lastRound() + " rounds; see " + left);
        }
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
