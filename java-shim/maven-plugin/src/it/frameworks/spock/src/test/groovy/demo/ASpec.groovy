package demo

import spock.lang.Specification

class ASpec extends Specification {
    def "one is fine, really"() {
        expect: 1 == 1
    }

    def "sum of #a"() {
        expect: a > 0
        where: a << [1, 2]
    }
}
