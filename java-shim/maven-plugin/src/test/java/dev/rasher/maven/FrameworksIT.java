package dev.rasher.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** JUnit 6, Spock, Kotest, and Failsafe behind Surefire: named as their reports name them, each on one shard. */
class FrameworksIT {
    @TempDir
    Path folder;

    @Test
    void everyFrameworkIsRecordedAndSharded() throws Exception {
        MavenBuild build = new MavenBuild(folder, Path.of("src/it/frameworks"), "junit6", "spock", "kotest", "failsafe");
        assertEquals(0, build.run("rasher:plan", "verify"), build::log);
        Map<String, List<String>> everything = build.recorded(1);
        assertEquals(build.reported(), everything, build::log);
        for (String module : List.of("junit6", "spock", "kotest", "failsafe")) {
            assertTrue(everything.keySet().stream().anyMatch(test -> test.startsWith(module + ":")), module);
        }
        assertEquals(0, build.run("rasher:collect"), build::log);
        Map<String, List<String>> union = new TreeMap<>();
        // Both shards leave their recordings beside each other.
        assertEquals(0, build.run("rasher:plan", "verify", "-Drasher.shard=1/2"), build::log);
        int first = build.recorded(1).size();
        assertEquals(0, build.run("rasher:plan", "verify", "-Drasher.shard=2/2"), build::log);
        build.recorded(1).forEach((test, outcomes) -> union.put(test, new ArrayList<>(outcomes)));
        assertEquals(everything, union);
        assertTrue(first > 0 && first < union.size(), () -> first + " of " + union.size());
        assertEquals(0, build.run("rasher:verify"), build::log);
    }
}
