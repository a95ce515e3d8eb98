package dev.rasher.harness;

import org.junit.platform.launcher.LauncherDiscoveryListener;
import org.junit.platform.launcher.LauncherDiscoveryRequest;

/** Hands the configuration parameters of a discovery request to {@link Settings}. */
public final class DiscoverySettings implements LauncherDiscoveryListener {
    /** Made by {@link java.util.ServiceLoader}. */
    public DiscoverySettings() {}

    @Override
    public void launcherDiscoveryStarted(LauncherDiscoveryRequest request) {
        Settings.use(key -> request.getConfigurationParameters().get(key).orElse(null));
    }
}
