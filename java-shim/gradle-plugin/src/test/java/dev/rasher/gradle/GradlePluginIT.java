package dev.rasher.gradle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real Gradle: every test runs on exactly one shard, from the configuration cache and without a warning. */
class GradlePluginIT {
    @TempDir
    Path folder;

    @Test
    void everyTestRunsOnExactlyOneShard() throws Exception {
        GradleBuild build = GradleBuild.of(folder);
        build.write("build.gradle", GradleBuild.JAVA);
        for (String name : List.of("A", "B", "C", "D", "E")) {
            build.write("src/test/java/demo/" + name + "Test.java", "package demo; import org.junit.jupiter.api.*;\n"
                    + "class " + name + "Test { @Test void one() {} @Test void two() {}\n"
                    + "  @Nested class In { @Test void deep() {} } }");
        }
        String log = build.pass("test", "rasherCollect");
        Map<String, Integer> everything = build.began(1);
        assertEquals(15, everything.size(), log);

        Map<String, Integer> union = new TreeMap<>();
        int looked = 0;
        for (String shard : List.of("1/2", "2/2")) {
            if (shard.equals("2/2")) {
                build.write("src/test/java/demo/NewTest.java",
                        "package demo; class NewTest { @org.junit.jupiter.api.Test void fresh() {} }");
            }
            build.pass("test", "-Prasher.shard=" + shard);
            Map<String, Integer> part = build.began(1);
            assertFalse(part.isEmpty());
            part.forEach((test, count) -> union.merge(test, count, Integer::sum));
            List<String> classes = Files.readAllLines(folder.resolve("build/rasher/test/attempts-1/classes.txt"));
            part.keySet().forEach(test -> assertTrue(classes.contains(Ids.outermostClass(test)), test));
            looked += classes.size();
        }
        assertTrue(looked < 10, "classes of the other shard are looked at");
        union.remove("demo.NewTest#fresh()");
        assertEquals(everything, union);
        assertTrue(Files.exists(folder.resolve("build/rasher/plan.json")));
        assertTrue(build.pass("test", "-Prasher.shard=2/2").contains("Reusing configuration cache"));
    }

    /** Each project answers for its own tests, and the root project for all of them. */
    @Test
    void projectsWithEqualClassesAreJudgedEachByItself() throws Exception {
        GradleBuild build = GradleBuild.of(folder, "a", "b");
        build.write("build.gradle", "plugins { id 'java'; id 'dev.rasher' }\n");
        for (String project : List.of("a", "b")) {
            build.write(project + "/build.gradle", GradleBuild.JAVA);
            build.write(project + "/src/test/java/demo/SameTest.java",
                    "package demo; class SameTest { @org.junit.jupiter.api.Test void same() {}\n"
                    + "@org.junit.jupiter.api.Test void only_" + project + "() {} }");
        }
        build.pass("test", "rasherCollect", "-Prasher.maxRetries=1");
        build.pass("test", "rasherVerify", "-Prasher.maxRetries=1", "-Prasher.shard=1/1");
        for (String project : List.of("a", "b")) {
            assertEquals(Map.of("demo.SameTest#same()", 1, "demo.SameTest#only_" + project + "()", 1),
                    build.began(project, 1));
            assertEquals(Map.of(), build.began(project, 2));
        }
    }
}
