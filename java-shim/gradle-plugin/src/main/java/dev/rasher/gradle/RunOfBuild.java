package dev.rasher.gradle;

import java.util.function.Function;
import org.gradle.api.services.BuildService;
import org.gradle.api.services.BuildServiceParameters;

/** The run that everything recorded in one build belongs to: what is recorded first names it. */
public abstract class RunOfBuild implements BuildService<BuildServiceParameters.None> {
    private String run;

    /**
     * Records, one at a time.
     *
     * @param record takes the run, or null where none is known yet; gives the run that it recorded
     */
    synchronized void record(Function<String, String> record) {
        run = record.apply(run);
    }
}
