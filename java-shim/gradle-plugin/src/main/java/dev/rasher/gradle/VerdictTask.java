package dev.rasher.gradle;

import dev.rasher.Attempts;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.gradle.api.GradleException;
import org.gradle.api.provider.Property;
import org.gradle.api.tasks.Internal;

/** Judges all rounds of a test task; fails the build where the verdict blocks or a test has no result that counts. */
public abstract class VerdictTask extends JudgedTask {
    /**
     * Whether a test that failed and then passed fails the build all the same.
     *
     * @return the setting
     */
    @Internal
    public abstract Property<Boolean> getFailOnPassedAfterRetry();

    @Override
    void perform() throws IOException {
        if (!Files.exists(planOf(1))) {
            return;
        }
        List<String> arguments = new ArrayList<>(List.of("verdict"));
        arguments.addAll(evidence());
        rasher(arguments).orThrow();
        Set<String> failedOnce = failed();
        if (!failedOnce.isEmpty()) {
            getLogger().lifecycle("rasher: passed after retry: {}", String.join(", ", failedOnce));
            if (getFailOnPassedAfterRetry().get()) {
                throw new GradleException("rasher: " + failedOnce.size() + " passed only after a retry,"
                        + " and failOnPassedAfterRetry is set: " + String.join(", ", failedOnce));
            }
        }
    }

    /** What failed in any round. */
    private Set<String> failed() throws IOException {
        Set<String> failed = new TreeSet<>();
        for (int round = 1; round <= lastRound(); round++) {
            Attempts attempts = attempts(round);
            for (int at = 0; at < attempts.size(); at++) {
                if (!Set.of("passed", "skipped").contains(attempts.outcome(at))) {
                    failed.add(attempts.test(at));
                }
            }
        }
        return failed;
    }
}
