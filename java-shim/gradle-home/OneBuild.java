import java.io.File;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.gradle.api.internal.StartParameterInternal;
import org.gradle.api.internal.file.FileCollectionFactory;
import org.gradle.api.logging.configuration.ConsoleOutput;
import org.gradle.cli.CommandLineParser;
import org.gradle.initialization.BuildRequestMetaData;
import org.gradle.initialization.DefaultBuildCancellationToken;
import org.gradle.initialization.DefaultBuildRequestContext;
import org.gradle.initialization.DefaultBuildRequestMetaData;
import org.gradle.initialization.NoOpBuildEventConsumer;
import org.gradle.initialization.layout.BuildLayoutFactory;
import org.gradle.internal.buildprocess.BuildProcessState;
import org.gradle.internal.classpath.ClassPath;
import org.gradle.internal.instrumentation.agent.AgentStatus;
import org.gradle.internal.logging.LoggingManagerInternal;
import org.gradle.internal.logging.services.LoggingServiceRegistry;
import org.gradle.internal.nativeintegration.services.NativeServices;
import org.gradle.internal.service.ServiceRegistry;
import org.gradle.launcher.cli.BuildEnvironmentConfigurationConverter;
import org.gradle.launcher.cli.Parameters;
import org.gradle.launcher.exec.BuildExecutor;
import org.gradle.launcher.exec.DefaultBuildActionParameters;
import org.gradle.tooling.internal.provider.action.ExecuteBuildAction;

/** Runs one build in this process, by the services that a Gradle daemon would use. */
public final class OneBuild {
    public static void main(String[] args) {
        int code;
        try {
            code = build(args);
        } catch (Throwable trouble) {
            trouble.printStackTrace();
            code = 2;
        }
        System.out.flush();
        System.err.flush();
        System.exit(code);
    }

    private static int build(String[] args) {
        BuildRequestMetaData request = new DefaultBuildRequestMetaData(System.currentTimeMillis());
        ServiceRegistry logging = LoggingServiceRegistry.newCommandLineProcessLogging();
        NativeServices.initializeOnDaemon(userHome(args), NativeServices.NativeServicesMode.fromSystemProperties());
        ServiceRegistry services = new BuildProcessState(
                false, AgentStatus.of(false), ClassPath.EMPTY, logging, NativeServices.getInstance()).getServices();

        CommandLineParser parser = new CommandLineParser();
        BuildEnvironmentConfigurationConverter converter = new BuildEnvironmentConfigurationConverter(
                new BuildLayoutFactory(), services.get(FileCollectionFactory.class));
        converter.configure(parser);
        parser.allowMixedSubcommandsAndOptions();
        Parameters parameters = converter.convertParameters(parser.parse(args), null);
        StartParameterInternal start = parameters.getStartParameter();

        Map<String, String> properties = new HashMap<>();
        System.getProperties().forEach((name, value) -> properties.put(name.toString(), value.toString()));
        properties.putAll(parameters.getDaemonParameters().getSystemProperties());
        properties.putAll(start.getSystemPropertiesArgs());

        LoggingManagerInternal console = logging.newInstance(LoggingManagerInternal.class);
        console.setLevelInternal(start.getLogLevel());
        console.start();
        console.attachProcessConsole(ConsoleOutput.Plain);
        boolean isFailed = services.get(BuildExecutor.class).execute(
                new ExecuteBuildAction(start),
                new DefaultBuildActionParameters(properties, System.getenv(), start.getCurrentDir(),
                        start.getLogLevel(), false, ClassPath.EMPTY),
                new DefaultBuildRequestContext(request, new DefaultBuildCancellationToken(),
                        new NoOpBuildEventConsumer())).hasFailure();
        try {
            console.stop();
        } catch (UnsupportedOperationException e) {
            // What was said is out by now; the console itself stays.
        }
        return isFailed ? 1 : 0;
    }

    private static File userHome(String[] args) {
        List<String> all = Arrays.asList(args);
        int given = Math.max(all.indexOf("-g"), all.indexOf("--gradle-user-home"));
        if (given >= 0 && given + 1 < args.length) {
            return new File(args[given + 1]);
        }
        String home = System.getenv("GRADLE_USER_HOME");
        return new File(home == null ? System.getProperty("user.home") + "/.gradle" : home);
    }
}
