package dev.rasher.maven;

import dev.rasher.Inventory;
import dev.rasher.harness.Settings;
import dev.rasher.harness.ShardPlan;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.maven.artifact.Artifact;
import org.apache.maven.plugin.MojoExecution;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Points Surefire and Failsafe of a module at a shard: the harness and its settings go on their class path, and where
 * it is sure to be right, the list of classes becomes their {@code includesFile}.
 */
abstract class Selecting extends RasherMojo {
    private static final String CLASS_PATH = "maven.test.additionalClasspath";

    @Parameter(defaultValue = "${plugin.artifacts}", readonly = true)
    List<Artifact> pluginArtifacts;

    @Parameter(defaultValue = "${mojoExecution}", readonly = true)
    MojoExecution execution;

    /** Selects what a plan has for a shard, {@code I/N}, and records it as {@code round}. */
    void select(String part, Path plan, int round) throws IOException {
        List<String> arguments = List.of("shard", part, "--plan", plan.toString(), "--format");
        Inventory inventory = Inventory.read(shard(arguments, "json"));
        List<String> ids = new ArrayList<>();
        for (int at = 0; at < inventory.size(); at++) {
            // Invocations are told by themselves.
            if (!inventory.test(at).endsWith("]") && inventory.test(at).chars().noneMatch(c -> c < ' ')) {
                ids.add(inventory.test(at));
            }
        }
        select(shard(arguments, "harness"), ids, round);
    }

    private String shard(List<String> arguments, String format) {
        List<String> all = new ArrayList<>(arguments);
        all.add(format);
        return rasher(all).orThrow().data();
    }

    /** Selects {@code shardText} in this module, or everything where it is null, and records as {@code round}. */
    void select(String shardText, int round) throws IOException {
        select(shardText, List.of(), round);
    }

    private void select(String shardText, List<String> ids, int round) throws IOException {
        Path folder = folder(project);
        Path settings = folder.resolve("settings");
        Files.createDirectories(settings);
        if (round == 1) {
            forget(shardText);
            if (shard != null) {
                Files.deleteIfExists(emptyMark(project));
            }
        }
        Properties properties = new Properties();
        properties.setProperty("record", attempts(project, round).toString());
        properties.setProperty("naming", "surefire");
        properties.setProperty("attempt", String.valueOf(round));
        String module = root().relativize(project.getBasedir().toPath()).toString().replace(File.separatorChar, '/');
        if (!module.isEmpty()) {
            properties.setProperty("module", module);
        }
        if (shardText != null) {
            Path file = folder.resolve("shard-" + round + ".txt");
            Files.write(file, shardText.getBytes(StandardCharsets.UTF_8));
            properties.setProperty("shard", file.toString());
            Path planned = folder.resolve("planned-" + round + ".txt");
            Files.write(planned, ids, StandardCharsets.UTF_8);
            properties.setProperty("planned", planned.toString());
            restrict(ShardPlan.read(file, module.isEmpty() ? null : module), round);
        }
        try (OutputStream out = Files.newOutputStream(settings.resolve(Settings.RESOURCE))) {
            properties.store(out, null);
        }
        project.getProperties().setProperty(CLASS_PATH, harness() + "," + settings);
    }

    /** Leaves what other shards of the plan recorded here; anything else would be told twice, or of another plan. */
    private void forget(String shardText) throws IOException {
        for (Recording recording : Recording.list(attempts(project, 1))) {
            boolean isOther = shardText != null && recording.follows(shardText.split("\n", 3)[1].substring("plan ".length()))
                    && !recording.isOf(shard);
            if (!isOther) {
                Files.delete(recording.file());
            }
        }
    }

    private File harness() {
        for (Artifact artifact : pluginArtifacts) {
            if (artifact.getGroupId().equals("dev.rasher") && artifact.getArtifactId().equals("rasher-harness")) {
                return artifact.getFile();
            }
        }
        throw new IllegalStateException("the plugin has no rasher-harness among its own artifacts");
    }

    /** Spares the tool the scan of classes that run elsewhere, where the classes are known to be compiled. */
    private void restrict(ShardPlan part, int round) throws IOException {
        Path classes = new File(project.getBuild().getTestOutputDirectory()).toPath();
        // TestNG must see what its tests depend upon in classes of other shards.
        boolean isTestNg = project.getDependencies().stream().anyMatch(it -> it.getGroupId().equals("org.testng"));
        if (execution.getLifecyclePhase() == null || !Files.isDirectory(classes) || isTestNg) {
            return;
        }
        boolean isEmpty = true;
        for (Map.Entry<String, TestTool> tool : TestTool.ALL.entrySet()) {
            isEmpty &= !tool.getValue().isConfiguredIn(project);
            if (!tool.getValue().isConfiguredIn(project)) {
                List<String> own = tool.getValue().classes(classes, part);
                Path list = folder(project).resolve(tool.getKey() + "-" + round + ".txt");
                Files.write(list, own, StandardCharsets.UTF_8);
                String property = tool.getKey() + ".includesFile";
                // An empty list would mean every class.
                if (own.isEmpty()) {
                    project.getProperties().setProperty(tool.getValue().skipProperty(), "true");
                } else {
                    project.getProperties().setProperty(property, list.toString());
                    isEmpty = false;
                }
            }
        }
        if (isEmpty && round == 1) {
            Files.write(emptyMark(project), new byte[0]);
        }
    }
}
