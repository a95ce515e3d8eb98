import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Lays Gradle's API jar out as the modules that its class path registry looks for: all classes stand in one of them,
 * the others only name what they depend on.
 */
public final class Assemble {
    private static final String SUFFIX = "-classpath.properties";
    private static final String FAT = "gradle-base-services";
    private static final String IMPL = "org/gradle/internal/impldep/";
    /** Test frameworks come from the build under test, so Gradle's test processors must not see relocated ones. */
    private static final List<String> TESTED =
            List.of("org/junit", "junit/framework", "junit/extensions", "org/testng", "org/opentest4j", "org/hamcrest");
    /** Libraries that the API jar does not hold, and their groups. */
    private static final Map<String, String> GROUPS = Map.of("javax.inject", "javax.inject", "groovy",
            "org.codehaus.groovy", "ant", "org.apache.ant", "kotlin-stdlib", "org.jetbrains.kotlin", "kotlin-reflect",
            "org.jetbrains.kotlin");

    public static void main(String[] args) throws IOException {
        try (ZipFile api = new ZipFile(args[1])) {
            Map<String, Properties> modules = modules(api);
            if (args[0].equals("wanted")) {
                for (String jar : libraries(modules)) {
                    String artifact = artifact(jar);
                    if (artifact != null) {
                        System.out.println(artifact);
                    }
                }
            } else {
                assemble(api, modules, Path.of(args[2]), Path.of(args[3]), args[4]);
            }
        }
    }

    private static Map<String, Properties> modules(ZipFile api) throws IOException {
        Map<String, Properties> modules = new TreeMap<>();
        for (ZipEntry entry : Collections.list(api.entries())) {
            String name = entry.getName();
            if (name.endsWith(SUFFIX) && name.indexOf('/') < 0) {
                Properties properties = new Properties();
                properties.load(api.getInputStream(entry));
                modules.put(name.substring(0, name.length() - SUFFIX.length()), properties);
            }
        }
        for (String missing : List.of("gradle-installation-beacon", "gradle-java-compiler-plugin", "gradle-kotlin-dsl")) {
            modules.putIfAbsent(missing, new Properties());
        }
        return modules;
    }

    private static List<String> names(Properties module, String key) {
        List<String> names = new ArrayList<>(Arrays.asList(module.getProperty(key, "").split(",")));
        names.remove("");
        return names;
    }

    private static Set<String> libraries(Map<String, Properties> modules) {
        Set<String> all = new TreeSet<>();
        modules.values().forEach(module -> all.addAll(names(module, "runtime")));
        return all;
    }

    /** The coordinates of a library that must be fetched, or null where its classes are in the API jar. */
    private static String artifact(String jar) {
        String base = jar.substring(0, jar.length() - ".jar".length());
        int dash = base.lastIndexOf('-');
        String name = base.substring(0, dash);
        String group = GROUPS.get(name.startsWith("groovy") ? "groovy" : name.startsWith("ant-") ? "ant" : name);
        return group == null ? null : group + ':' + name + ':' + base.substring(dash + 1);
    }

    private static void assemble(
            ZipFile api, Map<String, Properties> modules, Path lib, Path stubs, String version) throws IOException {
        Set<String> seen = new HashSet<>();
        try (ZipOutputStream out = zip(lib.resolve(FAT + "-" + version + ".jar"))) {
            for (ZipEntry entry : Collections.list(api.entries())) {
                String name = entry.getName();
                boolean isModule = name.endsWith(SUFFIX) && name.indexOf('/') < 0;
                if (!entry.isDirectory() && !isModule && seen.add(name)) {
                    byte[] bytes = api.getInputStream(entry).readAllBytes();
                    boolean isTesting = name.startsWith("org/gradle/api/internal/tasks/testing/");
                    put(out, name, isTesting && name.endsWith(".class") ? unrelocated(bytes) : bytes);
                }
            }
            put(out, FAT + SUFFIX, "projects=\nruntime=\n".getBytes(StandardCharsets.UTF_8));
        }
        for (String jar : libraries(modules)) {
            if (!Files.exists(lib.resolve(jar))) {
                try (ZipOutputStream out = zip(lib.resolve(jar))) {
                    put(out, "META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n".getBytes(StandardCharsets.UTF_8));
                }
            }
        }
        for (Map.Entry<String, Properties> module : modules.entrySet()) {
            if (!module.getKey().equals(FAT)) {
                module(modules, module, lib, stubs, version);
            }
        }
    }

    private static void module(Map<String, Properties> modules, Map.Entry<String, Properties> module, Path lib,
            Path stubs, String version) throws IOException {
        String name = module.getKey();
        List<String> projects = names(module.getValue(), "projects");
        projects.removeIf(project -> !modules.containsKey(project) || project.equals(name) || project.equals(FAT));
        projects.add(FAT);
        List<String> runtime = names(module.getValue(), "runtime");
        runtime.removeIf(jar -> artifact(jar) == null);
        try (ZipOutputStream out = zip(lib.resolve(name + "-" + version + ".jar"))) {
            String stub = name.equals("gradle-installation-beacon")
                    ? "org/gradle/internal/installation/beacon/InstallationBeacon.class"
                    : name.equals("gradle-java-compiler-plugin")
                            ? "org/gradle/internal/compiler/java/IncrementalCompileTask.class" : null;
            if (stub != null) {
                put(out, stub, Files.readAllBytes(stubs.resolve(stub)));
            }
            String text = "projects=" + String.join(",", projects) + "\nruntime=" + String.join(",", runtime) + "\n";
            put(out, name + SUFFIX, text.getBytes(StandardCharsets.UTF_8));
        }
    }

    private static ZipOutputStream zip(Path file) throws IOException {
        ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(file));
        out.setLevel(1);
        return out;
    }

    private static void put(ZipOutputStream out, String name, byte[] bytes) throws IOException {
        out.putNextEntry(new ZipEntry(name));
        out.write(bytes);
        out.closeEntry();
    }

    /** A class whose constants name the test frameworks as they are. */
    private static byte[] unrelocated(byte[] bytes) throws IOException {
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
        ByteArrayOutputStream buffer = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(buffer);
        out.writeLong(in.readLong());
        int count = in.readUnsignedShort();
        out.writeShort(count);
        for (int at = 1; at < count; at++) {
            int tag = in.readUnsignedByte();
            out.writeByte(tag);
            if (tag == 1) {
                out.writeUTF(plain(in.readUTF()));
            } else {
                // Class, String, MethodType, Module, Package: 2. MethodHandle: 3. Long, Double: 8. All others: 4.
                int size = tag == 7 || tag == 8 || tag == 16 || tag == 19 || tag == 20 ? 2 : tag == 15 ? 3
                        : tag == 5 || tag == 6 ? 8 : 4;
                out.write(in.readNBytes(size));
                at += size == 8 ? 1 : 0;
            }
        }
        out.write(in.readAllBytes());
        return buffer.toByteArray();
    }

    private static String plain(String constant) {
        for (String name : TESTED) {
            constant = constant.replace(IMPL + name, name)
                    .replace((IMPL + name).replace('/', '.'), name.replace('/', '.'));
        }
        return constant;
    }
}
