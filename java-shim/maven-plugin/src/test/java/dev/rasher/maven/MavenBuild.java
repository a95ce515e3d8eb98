package dev.rasher.maven;

import java.io.IOException;
import java.io.UncheckedIOException;
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

/** A copy of the demo project, and the Maven that builds it. */
final class MavenBuild {
    private static final String PLUGIN = "dev.rasher:rasher-maven-plugin:0.1.0:";
    private static final Pattern CASE = Pattern.compile(
            "<testcase name=\"([^\"]*)\" classname=\"([^\"]*)\"[^>]*?(/>|>\\s*<(failure|error|skipped)?)", Pattern.DOTALL);

    private static final Pattern BEGIN = Pattern.compile("\"begin\":\\d+,\"class\":\"([^\"]*)\",\"name\":\"([^\"]*)\"");

    private final Path folder;
    private final Path settings;
    private final List<String> modules;
    private String log = "";

    MavenBuild(Path folder, Path project, String... modules) throws IOException {
        this.folder = folder.resolve("project");
        this.modules = modules.length == 0 ? List.of("a", "b") : List.of(modules);
        copy(project, this.folder);
        settings = folder.resolve("settings.xml");
        Files.writeString(settings, Files.readString(Path.of("src/it/settings/settings.xml"))
                .replace("@user.repository@", System.getProperty("user.repository")));
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.collect(Collectors.toList())) {
                Path target = to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(file, target);
                }
            }
        }
    }

    Path folder() {
        return folder;
    }

    String log() {
        return log;
    }

    /** Plays a CI file of an example with this Maven; gives what was said. */
    String play(Path example, String file, Path played) throws IOException, InterruptedException {
        Path bin = Files.createDirectories(folder.resolveSibling("bin"));
        Path mvn = bin.resolve("mvn");
        Files.writeString(mvn, "#!/bin/sh\nexec '" + Path.of(System.getProperty("maven.home"), "bin", "mvn") + "' -s '"
                + settings + "' '-Dmaven.repo.local=" + System.getProperty("test.repository")
                + "' -Dstyle.color=never \"$@\"\n");
        mvn.toFile().setExecutable(true);
        Path out = folder.resolveSibling("played.txt");
        ProcessBuilder builder = new ProcessBuilder("bash", example.resolveSibling("rehearse").toString(),
                example.toString(), file, played.toString()).redirectErrorStream(true).redirectOutput(out.toFile());
        builder.environment().put("RASHER_COMMAND", System.getProperty("rasher.command"));
        builder.environment().put("PATH", bin + ":" + System.getenv("PATH"));
        builder.environment().keySet().removeIf(name -> name.equals("CI") || name.startsWith("GITHUB_")
                || name.startsWith("GITLAB_") || name.startsWith("CI_"));
        Process process = builder.start();
        if (!process.waitFor(8, TimeUnit.MINUTES)) {
            process.destroyForcibly();
        }
        int code = process.waitFor();
        String said = Files.readString(out);
        if (code != 0) {
            throw new AssertionError(file + " ends with " + code + '\n' + said);
        }
        return said;
    }

    /** Runs Maven; `rasher:` in a goal stands for the plugin. Gives the exit code. */
    int run(String... arguments) throws IOException, InterruptedException {
        return run(Map.of(), arguments);
    }

    /** The same with more in the environment. */
    int run(Map<String, String> more, String... arguments) throws IOException, InterruptedException {
        List<String> line = new ArrayList<>(List.of(
                Path.of(System.getProperty("maven.home"), "bin", "mvn").toString(), "-B", "-s", settings.toString(),
                "-Dmaven.repo.local=" + System.getProperty("test.repository"), "-Dstyle.color=never"));
        for (String argument : arguments) {
            line.add(argument.startsWith("rasher:") ? PLUGIN + argument.substring("rasher:".length()) : argument);
        }
        Path out = folder.resolve("log.txt");
        ProcessBuilder builder = new ProcessBuilder(line).directory(folder.toFile()).redirectErrorStream(true)
                .redirectOutput(out.toFile());
        builder.environment().put("RASHER_COMMAND", System.getProperty("rasher.command"));
        // A CI that runs this test must not be taken for that of the build within.
        builder.environment().keySet().removeIf(name -> name.equals("CI") || name.startsWith("GITHUB_")
                || name.startsWith("GITLAB_") || name.startsWith("CI_"));
        builder.environment().putAll(more);
        Process process = builder.start();
        if (!process.waitFor(8, TimeUnit.MINUTES)) {
            process.destroyForcibly();
        }
        int code = process.waitFor();
        log = Files.readString(out);
        return code;
    }

    /** How often each test began in a round, in a project of one module. */
    Map<String, Integer> began(int round) throws IOException {
        Map<String, Integer> found = new TreeMap<>();
        for (Path file : files(folder.resolve("target/rasher/attempts-" + round))) {
            Matcher begin = BEGIN.matcher(Files.readString(file));
            while (begin.find()) {
                found.merge(begin.group(1) + '#' + begin.group(2), 1, Integer::sum);
            }
        }
        return found;
    }

    /** How often each test was recorded in a round, with its outcome. */
    Map<String, List<String>> recorded(int round) {
        Map<String, List<String>> found = new TreeMap<>();
        for (String module : modules) {
            Path records = folder.resolve(module + "/target/rasher/attempts-" + round);
            for (Path file : files(records)) {
                Recorded.read(file).forEach((test, outcomes) ->
                        found.computeIfAbsent(module + ":" + test, name -> new ArrayList<>()).addAll(outcomes));
            }
        }
        return found;
    }

    /** How often each test stands in Surefire's XML, with its outcome. */
    Map<String, List<String>> reported() throws IOException {
        Map<String, List<String>> found = new TreeMap<>();
        for (String module : modules) {
            List<Path> reports = new ArrayList<>(files(folder.resolve(module + "/target/surefire-reports")));
            reports.addAll(files(folder.resolve(module + "/target/failsafe-reports")));
            for (Path file : reports) {
                if (!file.getFileName().toString().matches("TEST-.*\\.xml")) {
                    continue;
                }
                Matcher row = CASE.matcher(Files.readString(file));
                while (row.find()) {
                    String outcome = row.group(4) == null ? "passed" : row.group(4);
                    String test = module + ":" + plain(row.group(2)) + '#' + plain(row.group(1));
                    found.computeIfAbsent(test, name -> new ArrayList<>()).add(outcome);
                }
            }
        }
        return found;
    }

    private static String plain(String xml) {
        return xml.replace("&#10;", "\n").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"")
                .replace("&amp;", "&");
    }

    private static List<Path> files(Path folder) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().collect(Collectors.toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
