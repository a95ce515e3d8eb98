package dev.rasher.gradle;

import org.gradle.api.file.Directory;
import org.gradle.api.file.ProjectLayout;
import org.gradle.api.file.RegularFile;
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

    /** Everything of this test task. */
    Provider<Directory> folder() {
        return layout.getBuildDirectory().dir("rasher/" + name);
    }

    Provider<Directory> attempts(int round) {
        return folder().map(folder -> folder.dir(attemptsName(round)));
    }

    Provider<RegularFile> shardFile(int round) {
        return folder().map(folder -> folder.file("shard-" + round + ".txt"));
    }

    /** The name of the folder that a round records in. */
    static String attemptsName(int round) {
        return "attempts-" + round;
    }
}
