package dev.rasher.gradle;

import dev.rasher.harness.ShardPlan;
import java.io.File;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import org.gradle.api.file.FileTreeElement;
import org.gradle.api.specs.Spec;

/**
 * True for what is no class file and for the classes of other shards; one look-up in a hash table each, and a look into
 * those that may be suites.
 */
final class Elsewhere implements Spec<FileTreeElement>, Serializable {
    private static final long serialVersionUID = 1L;
    private static final String CLASS = ".class";

    private final File file;
    private final String module;
    private transient ShardPlan plan;

    Elsewhere(File file, String module) {
        this.file = file;
        this.module = module;
    }

    @Override
    public boolean isSatisfiedBy(FileTreeElement element) {
        String path = element.getPath();
        if (element.isDirectory()) {
            return false;
        }
        if (!path.endsWith(CLASS)) {
            // No test, but left alone it would make a shard without tests look as if it had some.
            return true;
        }
        try {
            String className = path.substring(0, path.length() - CLASS.length()).replace('/', '.');
            return !plan().takesClassFile(className, element.getFile().toPath());
        } catch (IOException e) {
            throw new UncheckedIOException("rasher: cannot read the shard file, or " + path, e);
        }
    }

    private ShardPlan plan() throws IOException {
        if (plan == null) {
            plan = ShardPlan.read(file.toPath(), module);
        }
        return plan;
    }
}
