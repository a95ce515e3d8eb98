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
import org.gradle.api.file.RegularFile;
import org.gradle.api.plugins.JavaPlugin;
import org.gradle.api.provider.Property;
import org.gradle.api.provider.Provider;
import org.gradle.api.provider.ProviderFactory;
import org.gradle.api.tasks.SourceSetContainer;
import org.gradle.api.tasks.TaskProvider;
import org.gradle.api.tasks.testing.Test;
import org.gradle.api.tasks.testing.junitplatform.JUnitPlatformOptions;
import org.gradle.api.tasks.testing.testng.TestNGOptions;

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
            task.getShardFile().set(layout.getBuildDirectory().file("rasher/shard.txt"));
        });
        int retries = rasher.getMaxRetries().get();
        for (String name : List.copyOf(project.getTasks().withType(Test.class).getNames())) {
            TestRounds rounds = new TestRounds(name, retries, layout);
            TaskProvider<Test> first = project.getTasks().named(name, Test.class);
            first.configure(test -> first(test, project, rasher, shard, rounds));
            if (retries > 0) {
                addRetries(project, rasher, first, rounds);
            }
        }
        Project root = project.getRootProject();
        if (project == root || !root.getPlugins().hasPlugin(RasherPlugin.class)) {
            addWhole(project, rasher);
        }
    }

    /** What looks at all test tasks of a project and of the projects below it. */
    private void addWhole(Project project, RasherExtension rasher) {
        Provider<RunOfBuild> run = project.getGradle().getSharedServices().registerIfAbsent(
                "rasherRunOfBuild", RunOfBuild.class, service -> {});
        List<Object> folders = new ArrayList<>(List.of(layout.getBuildDirectory().dir("rasher")));
        List<Object> tests = new ArrayList<>(List.of(project.getTasks().withType(Test.class)));
        for (Project below : project.getSubprojects()) {
            folders.add(new File(below.getProjectDir(), "build/rasher"));
            tests.add(below.getTasks().withType(Test.class));
        }
        project.getTasks().register("rasherCollect", CollectTask.class, task -> {
            task.setDescription("Records what the tests did into history");
            settings(task, project, rasher);
            task.getRunOfBuild().set(run);
            task.usesService(run);
            task.getFolders().from(folders);
            task.mustRunAfter(tests);
        });
        project.getTasks().register("rasherVerify", VerifyTask.class, task -> {
            task.setDescription("Proves that every planned test has exactly one accepted result");
            settings(task, project, rasher);
            task.getFolders().from(folders);
            task.mustRunAfter(tests);
        });
    }

    private void settings(RasherTask task, Project project, RasherExtension rasher) {
        task.setGroup("verification");
        task.getRoot().set(project.getRootDir());
        task.getPlan().set(rasher.getPlan());
        task.getStore().set(rasher.getStore());
        task.getEnvironment().set(rasher.getEnvironment());
        task.getRun().set(rasher.getRun());
        task.getShard().set(rasher.getShard());
        task.getModule().set(module(project));
        task.getOutputs().upToDateWhen(always -> false);
    }

    private static String module(Project project) {
        Path relative = project.getRootDir().toPath().relativize(project.getProjectDir().toPath());
        return relative.toString().replace(File.separatorChar, '/');
    }

    private void first(
            Test test, Project project, RasherExtension rasher, TaskProvider<ShardTask> shard, TestRounds rounds) {
        boolean isSharded = rasher.getShard().isPresent();
        round(test, project, rounds, 1, isSharded ? shard.flatMap(ShardTask::getShardFile) : null);
        if (rasher.getMaxRetries().get() > 0) {
            if (test.getExtensions().findByName("retry") != null) {
                throw new GradleException("rasher: `" + test.getPath() + "` is also retried by another plugin"
                        + " (test-retry or Develocity), and two retries hide each other's failures; remove that"
                        + " plugin, or leave rasher's `maxRetries` at 0");
            }
            // What the rounds come to is judged behind the last of them.
            test.setIgnoreFailures(true);
            runAnew(test, rounds, 1);
        }
    }

    /** A failure that is let pass here must not be taken for a result that need not be looked for again. */
    private static void runAnew(Test test, TestRounds rounds, int round) {
        test.getOutputs().upToDateWhen(new NoneFailed(rounds.attempts(round).get().getAsFile()));
        test.getOutputs().doNotCacheIf("a failure that is retried must not be kept", always -> true);
    }

    /** Lets a test task record as one round, and select by a shard file where one is given. */
    private void round(Test test, Project project, TestRounds rounds, int round, Provider<RegularFile> shardFile) {
        String module = module(project);
        File attempts = rounds.attempts(round).get().getAsFile();
        Arguments arguments = project.getObjects().newInstance(Arguments.class);
        arguments.getModule().set(module);
        arguments.getAttempts().set(attempts);
        arguments.getRound().set(round);
        test.getJvmArgumentProviders().add(arguments);
        test.getOutputs().dir(attempts).withPropertyName("rasherAttempts");
        test.doFirst("begin a round", new StartRound(attempts));
        test.doLast("end a round", new EndRound(attempts));
        if (shardFile != null) {
            arguments.getShardFile().set(shardFile);
            test.dependsOn(shardFile);
            // TestNG must see what its tests depend upon in classes of other shards; the harness keeps the rest from running.
            if (!(test.getOptions() instanceof TestNGOptions)) {
                test.exclude(new Elsewhere(shardFile.get().getAsFile(), module.isEmpty() ? null : module));
            }
        }
        allowNoTests(test);
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
                        task.getFolders().from(rounds.folder());
                        task.getMaxFailures().set(rasher.getMaxFailures());
                        task.getRound().set(at);
                        task.getShardFile().set(rounds.shardFile(at));
                        task.mustRunAfter(previous);
                    });
            TaskProvider<Test> retry = project.getTasks().register(
                    rounds.name() + "Retry" + (round - 1), Test.class, test -> {
                        test.setDescription("Runs again what " + rounds.name() + " left outstanding");
                        likeFirst(test, first.get());
                        test.setIgnoreFailures(true);
                        runAnew(test, rounds, at);
                        round(test, project, rounds, at, outstanding.flatMap(OutstandingTask::getShardFile));
                    });
            first.configure(test -> test.finalizedBy(outstanding, retry));
            before = retry;
        }
        TaskProvider<?> last = before;
        TaskProvider<VerdictTask> verdict =
                project.getTasks().register(rounds.name() + "Verdict", VerdictTask.class, task -> {
                    task.setDescription("Fails the build where a test of " + rounds.name() + " is still outstanding");
                    settings(task, project, rasher);
                    task.getFolders().from(rounds.folder());
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
        if (first.getOptions() instanceof JUnitPlatformOptions) {
            test.useJUnitPlatform(options -> options.copyFrom((JUnitPlatformOptions) first.getOptions()));
        } else if (first.getOptions() instanceof TestNGOptions) {
            test.useTestNG(options -> options.copyFrom((TestNGOptions) first.getOptions()));
        }
        test.setIncludes(first.getIncludes());
        // Without the predicate over the classes of other shards: a retry has its own.
        test.setExcludes(first.getExcludes());
        test.setMaxHeapSize(first.getMaxHeapSize());
        test.setMinHeapSize(first.getMinHeapSize());
        test.setJvmArgs(first.getJvmArgs());
        first.getJvmArgumentProviders().forEach(provider -> {
            if (!(provider instanceof Arguments)) {
                test.getJvmArgumentProviders().add(provider);
            }
        });
        test.systemProperties(first.getSystemProperties());
        test.setEnvironment(first.getEnvironment());
        test.setWorkingDir(first.getWorkingDir());
        test.setEnableAssertions(first.getEnableAssertions());
        test.setDefaultCharacterEncoding(first.getDefaultCharacterEncoding());
        test.setMaxParallelForks(first.getMaxParallelForks());
        test.setForkEvery(first.getForkEvery());
    }
}
