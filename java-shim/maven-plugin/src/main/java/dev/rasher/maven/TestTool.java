package dev.rasher.maven;

import dev.rasher.harness.ShardPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.maven.model.Plugin;
import org.apache.maven.model.PluginExecution;
import org.apache.maven.project.MavenProject;
import org.codehaus.plexus.util.xml.Xpp3Dom;

/** Surefire or Failsafe: which classes it would take by itself. */
final class TestTool {
    static final Map<String, TestTool> ALL = Map.of(
            "surefire", new TestTool("maven-surefire-plugin", "Test.*|.*Test|.*Tests|.*TestCase", "skipTests"),
            "failsafe", new TestTool("maven-failsafe-plugin", "IT.*|.*IT|.*ITCase", "skipITs"));

    /** Settings by which a build chooses classes itself; the harness's filter alone then decides. */
    private static final List<String> CHOOSING = List.of(
            "includes", "includesFile", "test", "dependenciesToScan", "suiteXmlFiles", "testClassesDirectory");

    private final String artifactId;
    private final Pattern names;
    private final String skipProperty;

    private TestTool(String artifactId, String names, String skipProperty) {
        this.artifactId = artifactId;
        this.names = Pattern.compile(names);
        this.skipProperty = skipProperty;
    }

    String skipProperty() {
        return skipProperty;
    }

    boolean isConfiguredIn(MavenProject project) {
        Plugin plugin = project.getPlugin("org.apache.maven.plugins:" + artifactId);
        if (plugin == null) {
            return false;
        }
        return chooses(plugin.getConfiguration())
                || plugin.getExecutions().stream().map(PluginExecution::getConfiguration).anyMatch(TestTool::chooses);
    }

    private static boolean chooses(Object configuration) {
        return configuration instanceof Xpp3Dom
                && CHOOSING.stream().anyMatch(name -> ((Xpp3Dom) configuration).getChild(name) != null);
    }

    /** The source files of the classes that are this shard's. */
    List<String> classes(Path folder, ShardPlan part) throws IOException {
        List<String> all;
        try (Stream<Path> files = Files.walk(folder)) {
            all = files.filter(file -> file.toString().endsWith(".class"))
                    .map(file -> folder.relativize(file).toString().replace('\\', '/'))
                    .map(name -> name.substring(0, name.length() - ".class".length()))
                    .filter(name -> names.matcher(name.substring(name.lastIndexOf('/') + 1)).matches())
                    .filter(name -> name.indexOf('$') < 0)
                    .sorted()
                    .collect(Collectors.toList());
        }
        List<String> own = new ArrayList<>();
        for (String name : all) {
            if (part.takesClassFile(name.replace('/', '.'), folder.resolve(name + ".class"))) {
                own.add(name + ".java");
            }
        }
        return own;
    }
}
