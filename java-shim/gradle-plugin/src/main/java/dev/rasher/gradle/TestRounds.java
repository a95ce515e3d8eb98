package dev.rasher.gradle;

import org.gradle.api.file.ConfigurableFileCollection;
import org.gradle.api.file.Directory;
import org.gradle.api.file.ProjectLayout;
import org.gradle.api.provider.Provider;

/** The rounds of one test task: the first run and its retries, each with the folder it records in. */
final class TestRounds {
    private final String name;
    private final int retries;
    private final ProjectLayout layout;

    TestRounds(String name, int retries, ProjectLayout layout) {
        this.name = name;
        this.retries = retries;
        this.layout = layout;
    }

    String name() {
        return name;
    }

    int count() {
        return retries + 1;
    }

    Provider<Directory> attempts(int round) {
        return layout.getBuildDirectory().dir("rasher/" + name + "/attempts-" + round);
    }

    void addTo(ConfigurableFileCollection recordings) {
        for (int round = 1; round <= count(); round++) {
            recordings.from(attempts(round));
        }
    }
}
