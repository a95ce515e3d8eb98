package dev.rasher;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The engine, for Java. Every call is complete in itself: nothing is kept between calls but what {@link #prepare} is
 * asked to keep, and all methods may be called by any number of threads.
 */
public final class Rasher {
    private final Engine engine;

    private Rasher(Engine engine) {
        this.engine = engine;
    }

    /**
     * Opens the engine.
     *
     * @param transport how calls reach it
     * @return the engine
     * @throws RasherException.StoreException where it cannot be reached; the message names every place looked at
     */
    public static Rasher open(Transport transport) {
        return new Rasher(Engine.open(transport));
    }

    /**
     * How calls reach the engine.
     *
     * @return {@link Transport#JNI} or {@link Transport#PROCESS}
     */
    public Transport transport() {
        return engine.transport();
    }

    /**
     * The version of the engine.
     *
     * @return such as {@code 0.1.0}
     */
    public String version() {
        return String.valueOf(about().get("version"));
    }

    /** What the engine says of itself: its version, and its table of kinds of trouble. */
    Map<String, Object> about() {
        return call(Op.ABOUT, new FrameWriter()).control();
    }

    /**
     * Plans a workload: which worker runs which test, and in which order. 50,000 tests take some milliseconds.
     *
     * @param workload the tests and what is expected of them
     * @param shards how many workers
     * @return the plan; it does not depend on the order of the workload
     * @throws RasherException.UsageException where there are no shards, or two tests have one id
     */
    public Plan plan(Workload workload, int shards) {
        return new Plan(ask(workload, Prepared.control(shards)));
    }

    /**
     * Plans a workload and gives the plan as the document that {@code rasher plan --json} writes.
     *
     * @param workload the tests and what is expected of them
     * @param shards how many workers
     * @param environment the environment that the document names
     * @return UTF-8 JSON, byte for byte that of the Rust crate
     */
    public byte[] planDocument(Workload workload, int shards, String environment) {
        return ask(workload, Prepared.control(shards, environment)).bytes(Section.DOCUMENT);
    }

    /**
     * Hands a workload over once, to plan it several times: its names do not cross again.
     *
     * @param workload the tests and what is expected of them; later changes to it are not seen
     * @return the workload as the engine has it; close it when done
     * @throws RasherException.UsageException where two tests have one id
     */
    public Prepared prepare(Workload workload) {
        return new Prepared(workload.ask(engine::keep, Objects::isNull));
    }

    /**
     * Reads reports: JUnit XML of any tool, recordings of the harness, timing files.
     *
     * @param reports the bytes of each file
     * @return their attempts; what cannot be read is listed and costs only itself
     */
    public Attempts read(List<byte[]> reports) {
        return new Attempts(call(Op.INGEST, new FrameWriter().blobs(Section.FILES, Section.FILE_ENDS, reports)));
    }

    /**
     * The tests of one worker.
     *
     * @param plan as {@code rasher plan --out} writes it
     * @param index which shard, from 1
     * @param total of how many; a plan for another number is refused, as it would leave tests out
     * @return their ids in the order in which to run them
     * @throws RasherException.UsageException where it is no plan, or has no such shard
     */
    public List<String> shard(byte[] plan, int index, int total) {
        FrameWriter request = new FrameWriter()
                .control("{\"index\":" + index + ",\"of\":" + total + "}")
                .bytes(Section.PLANS, plan);
        return call(Op.SHARD, request).strings(Section.NAMES, Section.NAME_ENDS);
    }

    /**
     * Proves that every planned test has a result of its own, or says which has not: {@code rasher verify}. Options:
     * {@code accept_unknown}, {@code accept_repeated}.
     *
     * @param run the plans and reports of a run
     * @return the document {@code rasher.verify/1}; exit code 4 where the run is incomplete
     * @throws RasherException.UsageException where the plans are none, or not of one run
     */
    public Document verify(Results run) {
        return new Document(call(Op.VERIFY, run.request()));
    }

    /**
     * Plans what must run again: {@code rasher retry}, with no store but the {@link Results#history} given. Options:
     * {@code mode}, {@code shards}, {@code deadline}, {@code max_tests}, {@code max_share}, {@code max_time},
     * {@code max_attempts}.
     *
     * @param run the plans and reports of a run
     * @return a plan with {@code retry_of}; without tests where all is settled
     * @throws RasherException.UsageException where the plans are none, or not of one run
     */
    public Document retry(Results run) {
        return new Document(call(Op.RETRY, run.request()));
    }

    /**
     * Judges the failures of a run: {@code rasher verdict}, with no store but the {@link Results#history} given. Options:
     * {@code p_real_max}, {@code error_max}.
     *
     * @param run the plans and reports of a run, and of its base where there are any
     * @return the document {@code rasher.verdict/1}; exit code 1 where the commit is blocked
     * @throws RasherException.UsageException where the plans are none, or not of one run
     */
    public Document verdict(Results run) {
        return new Document(call(Op.VERDICT, run.request()));
    }

    /**
     * Runs a verb of the command, as {@code rasher} would be called in a shell.
     *
     * @param directory where to stand
     * @param arguments the verb and its options
     * @return what it printed and how it ended; a verb that found something wrong is an answer, not an exception
     * @throws RasherException.StoreException where no command is found
     */
    public static Answer run(Path directory, List<String> arguments) {
        Command.Ended ended = Command.find().run(directory, arguments, new byte[0], 0);
        return new Answer(ended.exitCode, new String(ended.out, StandardCharsets.UTF_8), ended.words());
    }

    /** Lets the engine fail as told; what the test of the table of kinds uses. */
    void fail(String control) {
        call(Op.FAIL, new FrameWriter().control(control));
    }

    private FrameReader ask(Workload workload, String control) {
        return workload.ask(columns -> call(Op.PLAN, columns.control(control)), FrameReader::isAgain);
    }

    private FrameReader call(int operation, FrameWriter request) {
        return FrameReader.of(engine.call(request.seal(operation)));
    }
}
