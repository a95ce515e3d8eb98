package demo

import io.kotest.core.spec.style.FunSpec

class AKotSpec : FunSpec({
    test("one is fine") {}
    test("two") {}
})
