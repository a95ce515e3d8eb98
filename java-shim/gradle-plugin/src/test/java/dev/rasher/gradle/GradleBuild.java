package dev.rasher.gradle;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A project in a folder, and the Gradle that builds it: with the configuration cache, and never with a warning. */
final class GradleBuild {
    /** What every build of these tests needs. */
    static final String JAVA = "plugins { id 'java'; id 'dev.rasher' }\nrepositories { mavenCentral() }\n"
            + "dependencies { testImplementation 'org.junit.jupiter:junit-jupiter:5.14.4'\n"
            + "  testRuntimeOnly 'org.junit.platform:junit-platform-launcher:1.14.4' }\n"
            + "test { useJUnitPlatform() }\n";

    private static final Pattern BEGIN = Pattern.compile("\"begin\":\\d+,\"class\":\"([^\"]*)\",\"name\":\"([^\"]*)\"");

    private final Path folder;
    private int exitCode;

    private GradleBuild(Path folder) {
        this.folder = folder;
    }

    /** A copy of a project that stands on its own. */
    static GradleBuild copy(Path project, Path folder) throws IOException {
        GradleBuild build = new GradleBuild(folder);
        try (Stream<Path> files = Files.walk(project)) {
            for (Path file : files.filter(Files::isRegularFile).collect(Collectors.toList())) {
                build.write(project.relativize(file).toString(), Files.readString(file));
            }
        }
        return build;
    }

    /** A project, and projects below it; what it builds is still to be written. */
    static GradleBuild of(Path folder, String... projects) throws IOException {
        GradleBuild build = new GradleBuild(folder);
        StringBuilder settings = new StringBuilder("buildscript { dependencies { classpath files('"
                + System.getProperty("plugin.jar") + "','" + System.getProperty("core.jar") + "','"
                + System.getProperty("harness.jar") + "') } }\nrootProject.name = 'demo'\n");
        for (String project : projects) {
            settings.append("include '").append(project).append("'\n");
        }
        build.write("settings.gradle", settings.toString());
        return build;
    }

    void write(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    Path folder() {
        return folder;
    }

    int exitCode() {
        return exitCode;
    }

    /** Runs a build that must succeed; gives its log. */
    String pass(String... arguments) throws Exception {
        String log = run(arguments);
        assertTrue(exitCode == 0, log);
        return log;
    }

    /** Runs a build that must fail; gives its log. */
    String fail(String... arguments) throws Exception {
        String log = run(arguments);
        assertTrue(exitCode == 1, log);
        return log;
    }

    private String run(String... arguments) throws Exception {
        return run(Map.of(), arguments);
    }

    /** Runs a build with more in its environment, whatever comes of it. */
    String run(Map<String, String> more, String... arguments) throws Exception {
        List<String> line = new ArrayList<>(List.of(System.getProperty("gradle.home") + "/bin/gradle"));
        line.addAll(List.of(arguments));
        line.addAll(List.of("--configuration-cache", "--warning-mode=all"));
        Path log = folder.resolve("log.txt");
        ProcessBuilder builder = new ProcessBuilder(line).directory(folder.toFile()).redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().put("RASHER_COMMAND", System.getProperty("rasher.command"));
        // A CI that runs this test must not be taken for that of the build within.
        builder.environment().keySet().removeIf(name -> name.equals("CI") || name.startsWith("GITHUB_")
                || name.startsWith("GITLAB_") || name.startsWith("CI_"));
        builder.environment().putAll(more);
        Process process = builder.start();
        assertTrue(process.waitFor(8, TimeUnit.MINUTES), "Gradle does not end");
        exitCode = process.exitValue();
        String text = Files.readString(log);
        assertFalse(text.contains("deprecated"), text);
        return text;
    }

    /** How often each test began in a round of the task {@code test}. */
    Map<String, Integer> began(int round) throws IOException {
        return began("", round);
    }

    /** The same in a project of the build. */
    Map<String, Integer> began(String project, int round) throws IOException {
        Map<String, Integer> found = new TreeMap<>();
        Path attempts = folder.resolve(project).resolve("build/rasher/test/attempts-" + round);
        if (!Files.isDirectory(attempts)) {
            return found;
        }
        try (Stream<Path> files = Files.list(attempts)) {
            for (Path file : files.collect(Collectors.toList())) {
                Matcher begin = BEGIN.matcher(Files.readString(file));
                while (begin.find()) {
                    found.merge(begin.group(1) + '#' + begin.group(2), 1, Integer::sum);
                }
            }
        }
        return found;
    }
}
