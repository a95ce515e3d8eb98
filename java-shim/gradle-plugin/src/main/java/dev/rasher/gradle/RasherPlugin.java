package dev.rasher.gradle;

import java.io.File;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.inject.Inject;
import org.gradle.api.GradleException;
import org.gradle.api.Plugin;
import org.gradle.api.Project;
import org.gradle.api.file.ProjectLayout;
import org.gradle.api.plugins.JavaPlugin;
import org.gradle.api.provider.Property;
import org.gradle.api.provider.Provider;
import org.gradle.api.provider.ProviderFactory;
import org.gradle.api.tasks.SourceSetContainer;
import org.gradle.api.tasks.TaskProvider;
import org.gradle.api.tasks.testing.Test;

/**
 * Runs one shard of each test task, records it, and runs again what is outstanding.
 *
 * <p>A class that another shard runs is left out by a predicate over class files; inside a class that shards share,
 * the harness decides method by method. Gradle's own filter patterns, which are tried one by one on every test, are
 * never used. A retry is a test task of its own behind the first one.
 */
public final class RasherPlugin implements Plugin<Project> {
    private final ProviderFactory providers;
    private final ProjectLayout layout;

    /**
     * Made by Gradle.
     *
     * @param providers of settings
     * @param layout of the project
     */
    @Inject
    public RasherPlugin(ProviderFactory providers, ProjectLayout layout) {
        this.providers = providers;
        this.layout = layout;
    }

    @Override
    public void apply(Project project) {
        RasherExtension rasher = project.getExtensions().create("rasher", RasherExtension.class);
        setDefaults(project, rasher);
        project.getPlugins().withType(JavaPlugin.class, java -> {
            addHarness(project);
            project.getTasks().withType(Test.class).configureEach(test -> test.getFilter().setFailOnNoMatchingTests(false));
            project.afterEvaluate(evaluated -> wire(evaluated, rasher));
        });
    }

    private void setDefaults(Project project, RasherExtension rasher) {
        File root = project.getRootDir();
        setting(rasher.getShard(), "shard");
        setting(rasher.getEnvironment(), "env").convention("default");
        setting(rasher.getRun(), "run");
        rasher.getMaxRetries().convention(number("maxRetries"));
        rasher.getMaxFailures().convention(number("maxFailures"));
        rasher.getFailOnPassedAfterRetry().convention(
                providers.gradleProperty("rasher.failOnPassedAfterRetry").map(Boolean::valueOf).orElse(false));
        Provider<String> plan = providers.gradleProperty("rasher.plan").orElse("build/rasher/plan.json");
        rasher.getPlan().convention(layout.file(plan.map(path -> new File(path).isAbsolute()
                ? new File(path) : new File(root, path))));
        Provider<String> store = providers.gradleProperty("rasher.store").orElse(".rasher");
        rasher.getStore().convention(layout.dir(store.map(path -> new File(path).isAbsolute()
                ? new File(path) : new File(root, path))));
    }

    private Property<String> setting(Property<String> property, String name) {
        return property.convention(providers.gradleProperty("rasher." + name));
    }

    private Provider<Integer> number(String name) {
        return providers.gradleProperty("rasher." + name).map(Integer::valueOf).orElse(0);
    }

    private void addHarness(Project project) {
        TaskProvider<HarnessTask> harness = project.getTasks().register("rasherHarness", HarnessTask.class, task ->
                task.getJar().set(layout.getBuildDirectory().file("rasher/rasher-harness.jar")));
        project.getExtensions().getByType(SourceSetContainer.class).configureEach(set -> {
            if (!set.getName().equals("main")) {
                project.getDependencies().add(set.getRuntimeOnlyConfigurationName(),
                        project.files(harness.flatMap(HarnessTask::getJar)));
            }
        });
    }

    private void wire(Project project, RasherExtension rasher) {
        TaskProvider<ShardTask> shard = project.getTasks().register("rasherShard", ShardTask.class, task -> {
            task.setDescription("Makes the plan where there is none, and the shard that this build runs");
            settings(task, project, rasher);
            task.getShard().set(rasher.getShard());
            task.getShardFile().set(layout.getBuildDirectory().file("rasher/shard-1.txt"));
        });
        int retries = rasher.getMaxRetries().get();
        List<TestRounds> all = new ArrayList<>();
        for (String name : List.copyOf(project.getTasks().withType(Test.class).getNames())) {
            all.add(new TestRounds(name, retries, layout));
        }
        for (TestRounds rounds : all) {
            TaskProvider<Test> first = project.getTasks().named(rounds.name(), Test.class);
            first.configure(test -> first(test, project, rasher, shard, rounds));
            if (retries > 0) {
                addRetries(project, rasher, first, rounds);
            }
        }
        project.getTasks().register("rasherCollect", CollectTask.class, task -> {
            task.setDescription("Records what the tests of this project did into history");
            settings(task, project, rasher);
            task.getShard().set(rasher.getShard());
            all.forEach(rounds -> rounds.addTo(task.getRecordings()));
            task.mustRunAfter(project.getTasks().withType(Test.class));
        });
        project.getTasks().register("rasherVerify", VerifyTask.class, task -> {
            task.setDescription("Proves that every planned test has exactly one accepted result");
            settings(task, project, rasher);
            all.forEach(rounds -> rounds.addTo(task.getRecordings()));
            task.mustRunAfter(project.getTasks().withType(Test.class));
        });
    }

    private void settings(RasherTask task, Project project, RasherExtension rasher) {
        task.setGroup("verification");
        task.getRoot().set(project.getRootDir());
        task.getPlan().set(rasher.getPlan());
        task.getStore().set(rasher.getStore());
        task.getEnvironment().set(rasher.getEnvironment());
        task.getRun().set(rasher.getRun());
        task.getOutputs().upToDateWhen(always -> false);
    }

    private void first(
            Test test, Project project, RasherExtension rasher, TaskProvider<ShardTask> shard, TestRounds rounds) {
        Arguments arguments = arguments(test, project, rounds, 1);
        if (rasher.getShard().isPresent()) {
            arguments.getShardFile().set(shard.flatMap(ShardTask::getShardFile));
            test.dependsOn(shard);
        }
        if (rasher.getMaxRetries().get() > 0) {
            if (test.getExtensions().findByName("retry") != null) {
                throw new GradleException("rasher: `" + test.getPath() + "` is also retried by another plugin"
                        + " (test-retry or Develocity), and two retries hide each other's failures; remove that"
                        + " plugin, or leave rasher's `maxRetries` at 0");
            }
            // What the rounds come to is judged behind the last of them.
            test.setIgnoreFailures(true);
        }
    }

    /** Lets a test task select by a shard file and record as one round. */
    private Arguments arguments(Test test, Project project, TestRounds rounds, int round) {
        Path relative = project.getRootDir().toPath().relativize(project.getProjectDir().toPath());
        String module = relative.toString().replace(File.separatorChar, '/');
        File attempts = rounds.attempts(round).get().getAsFile();
        Arguments arguments = project.getObjects().newInstance(Arguments.class);
        arguments.getModule().set(module);
        arguments.getAttempts().set(attempts);
        arguments.getRound().set(round);
        test.getJvmArgumentProviders().add(arguments);
        test.getOutputs().dir(attempts).withPropertyName("rasherAttempts");
        test.doFirst("forget what was recorded before", new Forget(attempts));
        File file = layout.getBuildDirectory().file("rasher/" + (round == 1 ? "" : rounds.name() + "-") + "shard-"
                + round + ".txt").get().getAsFile();
        test.exclude(new Elsewhere(file, module.isEmpty() ? null : module, arguments.getShardFile()));
        allowNoTests(test);
        return arguments;
    }

    /** Gradle 9 fails where classes are left but no test; a shard may well be so. */
    private static void allowNoTests(Test test) {
        try {
            Method setting = Test.class.getMethod("getFailOnNoDiscoveredTests");
            @SuppressWarnings("unchecked")
            Property<Boolean> fail = (Property<Boolean>) setting.invoke(test);
            fail.set(false);
        } catch (NoSuchMethodException e) {
            // Gradle 8 has no such rule.
        } catch (ReflectiveOperationException e) {
            throw new GradleException("rasher: cannot allow a shard without tests", e);
        }
    }

    private void addRetries(Project project, RasherExtension rasher, TaskProvider<Test> first, TestRounds rounds) {
        TaskProvider<?> before = first;
        for (int round = 2; round <= rounds.count(); round++) {
            int at = round;
            TaskProvider<?> previous = before;
            TaskProvider<OutstandingTask> outstanding = project.getTasks().register(
                    rounds.name() + "Outstanding" + (round - 1), OutstandingTask.class, task -> {
                        task.setDescription("Finds out what " + rounds.name() + " must run again");
                        settings(task, project, rasher);
                        rounds.addTo(task.getRecordings());
                        task.getMaxFailures().set(rasher.getMaxFailures());
                        task.getRound().set(at);
                        task.getOf().set(rounds.name());
                        task.getShardFile().set(layout.getBuildDirectory()
                                .file("rasher/" + rounds.name() + "-shard-" + at + ".txt"));
                        task.mustRunAfter(previous);
                    });
            TaskProvider<Test> retry = project.getTasks().register(
                    rounds.name() + "Retry" + (round - 1), Test.class, test -> {
                        test.setDescription("Runs again what " + rounds.name() + " left outstanding");
                        likeFirst(test, first.get());
                        test.setIgnoreFailures(true);
                        arguments(test, project, rounds, at).getShardFile()
                                .set(outstanding.flatMap(OutstandingTask::getShardFile));
                        test.dependsOn(outstanding);
                    });
            first.configure(test -> test.finalizedBy(outstanding, retry));
            before = retry;
        }
        TaskProvider<?> last = before;
        TaskProvider<VerdictTask> verdict =
                project.getTasks().register(rounds.name() + "Verdict", VerdictTask.class, task -> {
                    task.setDescription("Fails the build where a test of " + rounds.name() + " is still outstanding");
                    settings(task, project, rasher);
                    rounds.addTo(task.getRecordings());
                    task.getOf().set(rounds.name());
                    task.getFailOnPassedAfterRetry().set(rasher.getFailOnPassedAfterRetry());
                    task.mustRunAfter(last);
                });
        first.configure(test -> test.finalizedBy(verdict));
    }

    /** What a retry takes over from the task that it repeats. */
    private static void likeFirst(Test test, Test first) {
        test.setTestClassesDirs(first.getTestClassesDirs());
        test.setClasspath(first.getClasspath());
        test.getJavaLauncher().set(first.getJavaLauncher());
        test.useJUnitPlatform();
        test.setIncludes(first.getIncludes());
        test.setExcludes(first.getExcludes());
        test.setMaxHeapSize(first.getMaxHeapSize());
        test.setMinHeapSize(first.getMinHeapSize());
        test.setJvmArgs(first.getJvmArgs());
        test.systemProperties(first.getSystemProperties());
        test.setEnvironment(first.getEnvironment());
        test.setWorkingDir(first.getWorkingDir());
    }
}
