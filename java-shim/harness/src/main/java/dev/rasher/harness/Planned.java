package dev.rasher.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;

/** The ids that the plan expects a result of here, each on a line. */
final class Planned {
    private final Set<String> ids;
    private final String module;

    private Planned(Set<String> ids, String module) {
        this.ids = ids;
        this.module = module;
    }

    static Planned read() {
        Path file = Settings.path("planned");
        try {
            return new Planned(file == null ? Collections.emptySet()
                    : new HashSet<>(Files.readAllLines(file, StandardCharsets.UTF_8)), Settings.get("module"));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the planned tests " + file, e);
        }
    }

    /** True for an id of the plan, with or without the module in front. */
    boolean has(String id) {
        return ids.contains(id) || module != null && ids.contains(module + ':' + id);
    }
}
