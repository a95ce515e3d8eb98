package inject;

import java.io.File;
import java.io.IOException;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.opentest4j.AssertionFailedError;

/** Lets one test in five hundred fail always, and as many once; which ones, their unique ids decide. */
public final class Inject implements BeforeEachCallback {
    @Override
    public void beforeEach(ExtensionContext context) throws IOException {
        if (!Boolean.getBoolean("inject")) {
            return;
        }
        int fate = Math.floorMod(context.getUniqueId().hashCode(), 500);
        if (fate == 0) {
            throw new AssertionFailedError("injected: broken");
        }
        File seen = new File(System.getProperty("inject.seen"), Integer.toHexString(context.getUniqueId().hashCode()));
        if (fate == 1 && seen.createNewFile()) {
            throw new AssertionFailedError("injected: flaky");
        }
    }
}
