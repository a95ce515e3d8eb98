package dev.rasher.harness;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Locale;
import java.util.Properties;
import java.util.function.Function;

/**
 * What the harness is told. Each setting is looked for in turn as a system property ({@code rasher.harness.shard}), an
 * environment variable ({@code RASHER_HARNESS_SHARD}), an entry {@code shard} of the class-path resource
 * {@code rasher-harness.properties}, and a configuration parameter of the JUnit Platform by the name of the property.
 *
 * <table>
 * <caption>The settings</caption>
 * <tr><td>{@code shard}</td><td>the shard file; without it every test runs</td></tr>
 * <tr><td>{@code planned}</td><td>a file with the ids that the plan expects of this shard, one a line: a method that once
 * failed to make its tests stands there by its own name, and is recorded under it when it makes them</td></tr>
 * <tr><td>{@code record}</td><td>the directory in which each JVM writes its attempts; without it nothing is
 * recorded</td></tr>
 * <tr><td>{@code naming}</td><td>{@code surefire} or {@code gradle}: whose XML the names shall equal; by default that
 * of the tool that runs the tests</td></tr>
 * <tr><td>{@code mode}</td><td>{@code run}, or {@code list}: write down what would run, and run nothing</td></tr>
 * <tr><td>{@code module}</td><td>the module of a larger build, where several have classes of one name</td></tr>
 * <tr><td>{@code attempt}</td><td>which round of the run this is, from 1</td></tr>
 * </table>
 */
public final class Settings {
    /** The class-path resource. */
    public static final String RESOURCE = "rasher-harness.properties";

    /** The prefix of system properties and configuration parameters. */
    public static final String PREFIX = "rasher.harness.";

    /** What the newest discovery request carries; set before any filter is asked. */
    private static volatile Function<String, String> parameters = key -> null;

    private static volatile Properties resource;

    private Settings() {}

    static void use(Function<String, String> newParameters) {
        parameters = newParameters;
    }

    static Path path(String key) {
        String value = get(key);
        return value == null ? null : Paths.get(value);
    }

    static String get(String key) {
        String value = System.getProperty(PREFIX + key);
        if (isEmpty(value)) {
            value = System.getenv((PREFIX + key).toUpperCase(Locale.ROOT).replace('.', '_'));
        }
        if (isEmpty(value)) {
            value = resource().getProperty(key);
        }
        if (isEmpty(value)) {
            value = parameters.apply(PREFIX + key);
        }
        return isEmpty(value) ? null : value;
    }

    private static boolean isEmpty(String value) {
        return value == null || value.isEmpty();
    }

    private static Properties resource() {
        Properties known = resource;
        if (known == null) {
            known = read();
            resource = known;
        }
        return known;
    }

    private static Properties read() {
        Properties read = new Properties();
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        URL url = context == null ? null : context.getResource(RESOURCE);
        url = url == null ? Settings.class.getResource("/" + RESOURCE) : url;
        if (url != null) {
            try {
                URLConnection connection = url.openConnection();
                connection.setUseCaches(false);
                try (InputStream in = connection.getInputStream()) {
                    read.load(in);
                }
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read " + url, e);
            }
        }
        return read;
    }
}
