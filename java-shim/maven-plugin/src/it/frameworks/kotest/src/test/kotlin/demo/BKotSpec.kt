package demo

import io.kotest.core.spec.style.FunSpec

class BKotSpec : FunSpec({
    test("one is fine") {}
    test("two") {}
})
