import dev.rasher.harness.ShardFilter;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import javax.tools.ToolProvider;
import org.apache.maven.surefire.api.testset.TestListResolver;
import org.gradle.api.internal.tasks.testing.filter.TestFilterSpec;
import org.gradle.api.internal.tasks.testing.filter.TestSelectionMatcher;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * What it costs to select tests inside the test JVM: 2,500 classes of 18 empty tests each. {@code make} compiles them,
 * {@code filter} asks the harness's filter and those of Gradle and Surefire themselves, {@code discover} finds the
 * tests of a shard or all of them.
 */
public final class Select {
    private static final int CLASSES = 2_500;
    private static final int METHODS = 18;

    public static void main(String[] args) throws IOException {
        switch (args[0]) {
            case "make":
                make(Path.of(args[1]));
                break;
            case "filter":
                filter(Path.of(args[1]), Integer.parseInt(args[2]));
                break;
            default:
                discover(args.length < 2 ? null : Path.of(args[1]));
        }
    }

    private static String name(int at) {
        return "made.p" + at / 50 + ".Some" + at + "Test";
    }

    private static void make(Path folder) throws IOException {
        List<String> line = new ArrayList<>(List.of("-nowarn", "-proc:none", "-d", folder.resolve("classes").toString()));
        for (int at = 0; at < CLASSES; at++) {
            String type = name(at).substring(name(at).lastIndexOf('.') + 1);
            String body = IntStream.range(0, METHODS).mapToObj(m -> "@org.junit.jupiter.api.Test void does" + m + "() {}")
                    .collect(Collectors.joining("\n"));
            Path file = folder.resolve("src/" + type + ".java");
            Files.createDirectories(file.getParent());
            Files.writeString(file, "package made.p" + at / 50 + "; class " + type + " {\n" + body + "\n}");
            line.add(file.toString());
        }
        if (ToolProvider.getSystemJavaCompiler().run(null, null, null, line.toArray(new String[0])) != 0) {
            System.exit(1);
        }
        // A shard of whole classes, as a plan gives it: 225 tests or a few more.
        List<String> whole = new ArrayList<>();
        for (int at = 0; at < 225; at += METHODS) {
            whole.add("class " + name(at * 11 % CLASSES));
        }
        write(folder.resolve("225.txt"), whole);
    }

    private static void write(Path file, List<String> lines) throws IOException {
        String body = "rasher-shard 1\nplan made\nshard 1 200 retry\n" + String.join("\n", lines) + '\n';
        CRC32 crc = new CRC32();
        crc.update(body.getBytes(StandardCharsets.UTF_8));
        Files.writeString(file, body + String.format("end %08x%n", crc.getValue()));
    }

    /** Scattered over all classes, which is the hard case for every filter. */
    private static void filter(Path folder, int wanted) throws IOException {
        List<TestDescriptor> tests = tests();
        Set<Integer> chosen = new LinkedHashSet<>();
        Random random = new Random(7);
        while (chosen.size() < wanted) {
            chosen.add(random.nextInt(CLASSES * METHODS));
        }
        TreeMap<String, Set<String>> byClass = new TreeMap<>();
        chosen.forEach(at -> byClass.computeIfAbsent(name(at / METHODS), any -> new TreeSet<>()).add("does" + at % METHODS));
        List<String> lines = new ArrayList<>();
        Set<String> patterns = new LinkedHashSet<>();
        byClass.forEach((type, methods) -> {
            lines.add("split old " + type);
            methods.forEach(method -> {
                lines.add("here #" + method);
                patterns.add(type + '.' + method);
            });
        });
        Path shard = folder.resolve("scattered.txt");
        write(shard, lines);
        System.setProperty("rasher.harness.shard", shard.toString());
        ShardFilter harness = new ShardFilter();
        TestSelectionMatcher gradle = new TestSelectionMatcher(new TestFilterSpec(patterns, Set.of(), Set.of()));
        TestListResolver surefire = new TestListResolver(patterns.stream()
                .map(pattern -> pattern.substring(0, pattern.lastIndexOf('.')) + '#'
                        + pattern.substring(pattern.lastIndexOf('.') + 1))
                .collect(Collectors.joining(",")));
        System.out.printf("%d of %d tests, scattered over %d classes; CPU time of the filter alone%n", wanted, tests.size(),
                byClass.size());
        double ours = time("harness", tests, 1, test -> harness.apply(test).included(), wanted);
        // The other two look at every fortieth test: each try walks their whole list.
        double theirs = time("Gradle's filter", tests, 40, test -> {
            MethodSource source = (MethodSource) test.getSource().orElseThrow();
            return gradle.matchesTest(source.getClassName(), source.getMethodName());
        }, wanted);
        double others = time("Surefire's -Dtest", tests, 40, test -> {
            MethodSource source = (MethodSource) test.getSource().orElseThrow();
            return surefire.shouldRun(source.getClassName().replace('.', '/') + ".class", source.getMethodName());
        }, wanted);
        System.out.printf(Locale.ROOT, "  Gradle / harness %.0f, Surefire / harness %.0f%n", theirs / ours, others / ours);
        if (theirs < 10 * ours || others < 10 * ours) {
            System.exit(1);
        }
    }

    /** Milliseconds for all tests, from every so many of them; the harness reads its file within. */
    private static double time(String what, List<TestDescriptor> tests, int every, Predicate<TestDescriptor> keeps,
            int wanted) {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long start = threads.getCurrentThreadCpuTime();
        int kept = 0;
        for (int at = 0; at < tests.size(); at += every) {
            kept += keeps.test(tests.get(at)) ? 1 : 0;
        }
        double millis = (threads.getCurrentThreadCpuTime() - start) / 1e6 * every;
        System.out.printf(Locale.ROOT, "  %-18s %10.1f ms%s%n", what, millis, every == 1 ? "" : " (from every " + every + "th)");
        if (every == 1 && kept != wanted) {
            throw new IllegalStateException(what + " kept " + kept + " of " + wanted);
        }
        return millis;
    }

    private static List<TestDescriptor> tests() {
        List<TestDescriptor> tests = new ArrayList<>();
        PostDiscoveryFilter collect = node -> {
            if (node.isTest()) {
                tests.add(node);
            }
            return FilterResult.included("");
        };
        LauncherFactory.create(LauncherConfig.builder().enablePostDiscoveryFilterAutoRegistration(false).build())
                .discover(request(IntStream.range(0, CLASSES).mapToObj(Select::name).collect(Collectors.toList()), collect));
        return tests;
    }

    private static LauncherDiscoveryRequest request(List<String> classes, PostDiscoveryFilter... filters) {
        return LauncherDiscoveryRequestBuilder.request()
                .selectors(classes.stream().map(DiscoverySelectors::selectClass).collect(Collectors.toList()))
                .filters(filters).build();
    }

    private static void discover(Path shard) throws IOException {
        List<String> classes = IntStream.range(0, CLASSES).mapToObj(Select::name).collect(Collectors.toList());
        if (shard != null) {
            System.setProperty("rasher.harness.shard", shard.toString());
            classes = Files.readAllLines(shard).stream().filter(line -> line.startsWith("class "))
                    .map(line -> line.substring("class ".length())).collect(Collectors.toList());
        }
        long tests = LauncherFactory.create().discover(request(classes)).countTestIdentifiers(node -> node.isTest());
        long nanos = ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
        System.out.printf(Locale.ROOT, "discovery of %d tests in %d classes, fresh JVM: %.2f s of CPU%n", tests,
                classes.size(), nanos / 1e9);
    }
}
