package demo;

import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Two invocations of the class: one fails, the other passes, and neither may speak for the other. */
@ParameterizedClass
@ValueSource(ints = {2, 1})
class ClassParamTest {
    @Parameter
    int size;

    @Test
    void odd() {
        Assertions.assertTrue(size % 2 == 1 || new java.io.File(System.getProperty("mended", "/nonexistent")).exists());
    }
}
