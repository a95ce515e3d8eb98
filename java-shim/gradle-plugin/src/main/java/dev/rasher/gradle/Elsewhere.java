package dev.rasher.gradle;

import dev.rasher.harness.ShardPlan;
import java.io.File;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import org.gradle.api.file.FileTreeElement;
import org.gradle.api.specs.Spec;

/** True for the class files of other shards; one look-up in a hash table each. */
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
        if (element.isDirectory() || !path.endsWith(CLASS)) {
            return false;
        }
        return !plan().takesClass(path.substring(0, path.length() - CLASS.length()).replace('/', '.'));
    }

    private ShardPlan plan() {
        if (plan == null) {
            try {
                plan = ShardPlan.read(file.toPath(), module);
            } catch (IOException e) {
                throw new UncheckedIOException("rasher: cannot read the shard file", e);
            }
        }
        return plan;
    }
}
