package org.gradle.internal.compiler.java;

import java.io.File;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import javax.annotation.processing.Processor;
import javax.tools.JavaCompiler.CompilationTask;

/** Compiles like the compiler it is given; knows nothing of what depends on what. */
public class IncrementalCompileTask implements CompilationTask {
    private final CompilationTask plain;

    public IncrementalCompileTask(CompilationTask plain, Function<File, Optional<String>> relativize,
            Consumer<String> backUp, Consumer<Map<String, Set<String>>> names,
            BiConsumer<String, String> accessible, BiConsumer<String, String> hidden) {
        this.plain = plain;
    }

    @Override
    public void addModules(Iterable<String> names) {
        plain.addModules(names);
    }

    @Override
    public void setProcessors(Iterable<? extends Processor> processors) {
        plain.setProcessors(processors);
    }

    @Override
    public void setLocale(Locale locale) {
        plain.setLocale(locale);
    }

    @Override
    public Boolean call() {
        return plain.call();
    }
}
