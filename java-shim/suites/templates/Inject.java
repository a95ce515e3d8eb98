package inject;

import java.io.IOException;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Lets the chosen tests of any class fail. */
public final class Inject implements BeforeEachCallback {
    @Override
    public void beforeEach(ExtensionContext context) throws IOException {
        AssertionError failure = Fates.of(context.getUniqueId());
        if (failure != null) {
            throw failure;
        }
    }
}
