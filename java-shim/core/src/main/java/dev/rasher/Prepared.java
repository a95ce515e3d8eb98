package dev.rasher;

/**
 * A workload that the engine has taken over, to be planned several times. May be used by any number of threads; one
 * that is not closed goes when nobody has it any more.
 */
public final class Prepared implements AutoCloseable {
    private final Engine.Kept kept;

    Prepared(Engine.Kept kept) {
        this.kept = kept;
    }

    /**
     * Plans the workload.
     *
     * @param shards how many workers
     * @return the plan, the same that {@link Rasher#plan} gives
     * @throws RasherException.UsageException where there are no shards, or the workload was closed
     */
    public Plan plan(int shards) {
        return new Plan(FrameReader.of(kept.call(Op.PLAN, control(shards))));
    }

    /**
     * Plans the workload and gives the plan as a document.
     *
     * @param shards how many workers
     * @param environment the environment that the document names
     * @return UTF-8 JSON, the same that {@link Rasher#planDocument} gives
     * @throws RasherException.UsageException where there are no shards, or the workload was closed
     */
    public byte[] planDocument(int shards, String environment) {
        return FrameReader.of(kept.call(Op.PLAN, control(shards, environment))).bytes(Section.DOCUMENT);
    }

    /** Lets the workload go. Once is enough; a call that is under way ends as if it were open. */
    @Override
    public void close() {
        kept.close();
    }

    static String control(int shards) {
        return "{\"shards\":" + shards + "}";
    }

    static String control(int shards, String environment) {
        return "{\"shards\":" + shards + ",\"document\":true,\"environment\":" + Json.quote(environment) + "}";
    }
}
