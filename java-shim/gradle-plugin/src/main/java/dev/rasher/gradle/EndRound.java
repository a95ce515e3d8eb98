package dev.rasher.gradle;

import java.io.File;
import java.io.Serializable;
import org.gradle.api.Action;
import org.gradle.api.GradleException;
import org.gradle.api.Task;
import org.gradle.api.tasks.testing.Test;

/** Behind a test task: makes sure that what ran was recorded, for what is not recorded cannot be judged. */
final class EndRound implements Action<Task>, Serializable {
    private static final long serialVersionUID = 1L;

    private final File folder;

    EndRound(File folder) {
        this.folder = folder;
    }

    @Override
    public void execute(Task task) {
        Test test = (Test) task;
        File results = test.getBinaryResultsDirectory().file("results.bin").get().getAsFile();
        String[] recordings = folder.list((parent, name) -> name.endsWith(RasherTask.RECORDING));
        if (results.length() > 0 && (recordings == null || recordings.length == 0)) {
            throw new GradleException("rasher: `" + test.getPath() + "` ran tests and recorded none; its class path must"
                    + " hold the harness, which stands in testRuntimeOnly: add to the `classpath` of the task"
                    + " rather than setting it");
        }
    }
}
