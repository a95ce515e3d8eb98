package dev.rasher;

/** What a verb of the command printed and how it ended. */
public final class Answer {
    private final int exitCode;
    private final String data;
    private final String words;

    Answer(int exitCode, String data, String words) {
        this.exitCode = exitCode;
        this.data = data;
        this.words = words;
    }

    /**
     * How it ended; the table stands at {@link RasherException}.
     *
     * @return 0 where all is well
     */
    public int exitCode() {
        return exitCode;
    }

    /**
     * The data: what it printed to standard output.
     *
     * @return a document with {@code --json}, else a table
     */
    public String data() {
        return data;
    }

    /**
     * The words for people: what it printed to standard error.
     *
     * @return lines of text
     */
    public String words() {
        return words;
    }

    /**
     * This answer, where the verb did its work.
     *
     * @param alsoAccepted exit codes that are an answer, not a failure
     * @return this answer
     * @throws RasherException for any other exit code
     */
    public Answer orThrow(int... alsoAccepted) {
        boolean isAccepted = exitCode == 0;
        for (int code : alsoAccepted) {
            isAccepted |= code == exitCode;
        }
        if (!isAccepted) {
            String told = words.isBlank() ? data.strip() : words.strip();
            throw RasherException.of(exitCode, told.isEmpty() ? "the command ended with " + exitCode : told);
        }
        return this;
    }
}
