package dev.rasher.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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

    /** Surefire and Failsafe in one build: each runs again what it left, and neither anything where nothing is left. */
    @Test
    void failsafeRunsAgainWhatItLeftAndNothingElse() throws Exception {
        MavenBuild build = new MavenBuild(folder, Path.of("src/it/frameworks"), "failsafe");
        String[] module = {"-pl", "failsafe"};
        assertEquals(1, build.run("rasher:plan", "verify", "-Dit.broken=true", module[0], module[1]), build::log);
        assertEquals(3, build.recorded(1).size(), build::log);
        assertEquals(0, build.run("rasher:retry", "verify", module[0], module[1]), build::log);
        assertEquals(Map.of("failsafe:demo.WholeBIT#together", List.of("passed")), build.recorded(2), build::log);
        assertEquals(0, build.run("rasher:verify", "rasher:verdict", module[0], module[1]), build::log);
        assertEquals(0, build.run("rasher:retry", "verify", module[0], module[1]), build::log);
        assertTrue(build.log().contains("nothing is outstanding"), build::log);
        assertFalse(build.log().contains("Running demo."), build::log);
    }
}
