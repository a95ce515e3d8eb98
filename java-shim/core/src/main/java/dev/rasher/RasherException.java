package dev.rasher;

/**
 * A verb that did not do its work. Its kinds are those of the command's exit codes; a code that this version does not
 * know comes as a plain {@code RasherException} that still carries it.
 */
public class RasherException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int exitCode;

    private RasherException(int exitCode, String message) {
        super(message);
        this.exitCode = exitCode;
    }

    /**
     * The exit code of the command for this kind of trouble.
     *
     * @return a number from 1 to 255
     */
    public final int exitCode() {
        return exitCode;
    }

    /**
     * The exception of an exit code: the one place where Java says which is which. A test holds it to the engine's
     * table and to the command.
     *
     * @param exitCode the exit code of the command
     * @param message what, where, and what to do
     * @return one of the kinds below, or a plain exception for a code that is not known
     */
    public static RasherException of(int exitCode, String message) {
        switch (exitCode) {
            case 1:
                return new BlockedException(exitCode, message);
            case 2:
                return new UsageException(exitCode, message);
            case 3:
                return new BudgetException(exitCode, message);
            case 4:
                return new IncompleteException(exitCode, message);
            case 5:
                return new EnvironmentException(exitCode, message);
            case 6:
                return new StoreException(exitCode, message);
            case 70:
                return new DefectException(exitCode, message);
            default:
                return new RasherException(exitCode, message);
        }
    }

    /** The verdict blocks the merge. */
    public static final class BlockedException extends RasherException {
        private BlockedException(int exitCode, String message) {
            super(exitCode, message);
        }
    }

    /** Wrong usage or configuration. */
    public static final class UsageException extends RasherException {
        private UsageException(int exitCode, String message) {
            super(exitCode, message);
        }
    }

    /** The budget cannot be met; the plan is still written. */
    public static final class BudgetException extends RasherException {
        private BudgetException(int exitCode, String message) {
            super(exitCode, message);
        }
    }

    /** Results are missing, doubled or unknown. */
    public static final class IncompleteException extends RasherException {
        private IncompleteException(int exitCode, String message) {
            super(exitCode, message);
        }
    }

    /** The environment failed, not the tests. */
    public static final class EnvironmentException extends RasherException {
        private EnvironmentException(int exitCode, String message) {
            super(exitCode, message);
        }
    }

    /** Trouble with the store, the queue or a file. */
    public static final class StoreException extends RasherException {
        private StoreException(int exitCode, String message) {
            super(exitCode, message);
        }
    }

    /** A defect in Rasher. */
    public static final class DefectException extends RasherException {
        private DefectException(int exitCode, String message) {
            super(exitCode, message);
        }
    }
}
