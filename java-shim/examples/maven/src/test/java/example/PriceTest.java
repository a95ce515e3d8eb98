package example;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PriceTest {
    @Test
    void nothingCostsNothing() {
        assertEquals(0, 0 * 19);
    }

    @ParameterizedTest
    @CsvSource({"1, 19", "2, 38", "10, 190"})
    void severalCostTheirSum(int count, int price) {
        assertEquals(price, count * 19);
    }
}
