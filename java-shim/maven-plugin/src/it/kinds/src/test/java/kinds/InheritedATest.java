package kinds;

/** The inherited tests fail here. */
class InheritedATest extends Inherited {
    @Override
    boolean isUnlucky() {
        return true;
    }
}
