package dev.rasher;

/**
 * A verb that did not do its work. Its kinds are those of the command's exit codes; a code that this version does not
 * know comes as a plain {@code RasherException} that still carries it.
 */
public class RasherException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The exit code of the command for this kind of trouble. */
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
     * The exception of an exit code.
     *
     * @param exitCode the exit code of the command
     * @param message what, where, and what to do
     * @return one of the kinds below, or a plain exception for a code that is not known
     */
    public static RasherException of(int exitCode, String message) {
        switch (exitCode) {
            case 1:
                return new BlockedException(message);
            case 2:
                return new UsageException(message);
            case 3:
                return new BudgetException(message);
            case 4:
                return new IncompleteException(message);
            case 5:
                return new EnvironmentException(message);
            case 6:
                return new StoreException(message);
            case 70:
                return new DefectException(message);
            default:
                return new RasherException(exitCode, message);
        }
    }

    /** The verdict blocks the merge. */
    public static final class BlockedException extends RasherException {
        private static final long serialVersionUID = 1L;

        private BlockedException(String message) {
            super(1, message);
        }
    }

    /** Wrong usage or configuration. */
    public static final class UsageException extends RasherException {
        private static final long serialVersionUID = 1L;

        private UsageException(String message) {
            super(2, message);
        }
    }

    /** The budget cannot be met; the plan is still written. */
    public static final class BudgetException extends RasherException {
        private static final long serialVersionUID = 1L;

        private BudgetException(String message) {
            super(3, message);
        }
    }

    /** Results are missing, doubled or unknown. */
    public static final class IncompleteException extends RasherException {
        private static final long serialVersionUID = 1L;

        private IncompleteException(String message) {
            super(4, message);
        }
    }

    /** The environment failed, not the tests. */
    public static final class EnvironmentException extends RasherException {
        private static final long serialVersionUID = 1L;

        private EnvironmentException(String message) {
            super(5, message);
        }
    }

    /** Trouble with the store, the queue or a file. */
    public static final class StoreException extends RasherException {
        private static final long serialVersionUID = 1L;

        private StoreException(String message) {
            super(6, message);
        }
    }

    /** A defect in Rasher. */
    public static final class DefectException extends RasherException {
        private static final long serialVersionUID = 1L;

        private DefectException(String message) {
            super(70, message);
        }
    }
}
