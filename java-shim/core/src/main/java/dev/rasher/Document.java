package dev.rasher;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What a verb found, as the document that the command writes with {@code --json}. */
public final class Document {
    private final int exitCode;
    private final byte[] json;
    private final List<String> problems = new ArrayList<>();

    Document(FrameReader answer) {
        Map<String, Object> ending = answer.control();
        exitCode = (int) Json.number(ending.get("exit_code"));
        json = answer.bytes(Section.DOCUMENT);
        for (Object told : Json.list(ending.get("problems"))) {
            problems.add(problem(Json.object(told)));
        }
    }

    /** A problem with a file as a sentence. */
    static String problem(Map<String, Object> problem) {
        Object line = problem.get("line");
        String place = line == null ? "" : ", line " + (long) Json.number(line);
        return "file " + (long) Json.number(problem.get("file")) + place + ": " + problem.get("what");
    }

    /**
     * How the command ends with this answer; the table stands at {@link RasherException}.
     *
     * @return 0 where all is well
     */
    public int exitCode() {
        return exitCode;
    }

    /**
     * The document.
     *
     * @return UTF-8 JSON, byte for byte that of the command
     */
    public byte[] json() {
        return json.clone();
    }

    /**
     * What could not be read of the reports.
     *
     * @return a sentence each, with the file by its place from 0
     */
    public List<String> problems() {
        return List.copyOf(problems);
    }

    /**
     * This document, where all is well.
     *
     * @return this document
     * @throws RasherException of the kind that the exit code names
     */
    public Document orThrow() {
        if (exitCode != 0) {
            throw RasherException.of(exitCode, "the command would end with " + exitCode + "; its document says why");
        }
        return this;
    }
}
