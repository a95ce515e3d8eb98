package kinds;

/** The inherited tests pass here, which speaks for no other class. */
class InheritedBTest extends Inherited {
    @Override
    boolean isUnlucky() {
        return false;
    }
}
