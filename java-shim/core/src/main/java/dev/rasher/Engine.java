package dev.rasher;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Supplier;

/** Carries a request frame to the engine and its answer back. */
interface Engine {
    byte[] call(FrameWriter request);

    /** Hands a workload over, so that it need not cross again; null where its names must be sent in UTF-8. */
    Kept keep(FrameWriter workload);

    Transport transport();

    /** A workload that the engine has. */
    interface Kept {
        byte[] call(int operation, String control);

        /** Once is enough; more do nothing. */
        void close();
    }

    static Engine open(Transport transport) {
        switch (transport) {
            case JNI:
                return InProcess.open();
            case PROCESS:
                return new OutOfProcess(Command.find());
            default:
                return openBest();
        }
    }

    /** In process where Java allows it without a word, else through the command; the other where that is not there. */
    private static Engine openBest() {
        List<Supplier<Engine>> ways = new ArrayList<>(List.of(InProcess::open, () -> new OutOfProcess(Command.find())));
        if (!Library.isAccessEnabled()) {
            Collections.reverse(ways);
        }
        try {
            return ways.get(0).get();
        } catch (RasherException.StoreException first) {
            try {
                return ways.get(1).get();
            } catch (RasherException.StoreException second) {
                first.addSuppressed(second);
                throw first;
            }
        }
    }

    /** In this process, through the native library. */
    final class InProcess implements Engine {
        private InProcess() {}

        static Engine open() {
            Library.load();
            return new InProcess();
        }

        @Override
        public byte[] call(FrameWriter request) {
            return Native.call(request.array(), request.length());
        }

        @Override
        public Kept keep(FrameWriter workload) {
            FrameWriter request = workload.seal(Op.WORKLOAD);
            FrameReader answer = FrameReader.of(Native.open(request.array(), request.length()));
            return answer.isAgain() ? null : new Handle(Long.parseLong((String) answer.control().get("handle")));
        }

        @Override
        public Transport transport() {
            return Transport.JNI;
        }
    }

    /** A workload in the native library. One that nobody closes is closed once nobody has it. */
    final class Handle implements Kept {
        private final long number;
        private final Cleaner.Cleanable closing;

        /** Made with the first handle: who keeps no workload has no thread for it. */
        private static final class Closing {
            static final Cleaner CLEANER = Cleaner.create();
        }

        Handle(long number) {
            this.number = number;
            closing = Closing.CLEANER.register(this, closing(number));
        }

        /** Must not know the handle's owner, which would then never be unreachable. */
        private static Runnable closing(long number) {
            return () -> Native.close(number);
        }

        @Override
        public byte[] call(int operation, String control) {
            FrameWriter request = new FrameWriter().control(control).seal(operation);
            try {
                return Native.callOn(number, request.array(), request.length());
            } finally {
                Reference.reachabilityFence(this);
            }
        }

        @Override
        public void close() {
            closing.clean();
        }
    }

    /** Through the command, one process a call. */
    final class OutOfProcess implements Engine {
        private final Command command;

        OutOfProcess(Command command) {
            this.command = command;
        }

        @Override
        public byte[] call(FrameWriter request) {
            Command.Ended ended = command.run(Paths.get("").toAbsolutePath(), List.of("bridge"), request.array(),
                    request.length());
            if (ended.exitCode != 0) {
                throw RasherException.of(ended.exitCode, ended.words());
            }
            return ended.out;
        }

        @Override
        public Kept keep(FrameWriter workload) {
            FrameReader answer = FrameReader.of(call(workload.seal(Op.WORKLOAD)));
            return answer.isAgain() ? null : new Repeated(this, workload);
        }

        @Override
        public Transport transport() {
            return Transport.PROCESS;
        }
    }

    /** A process keeps nothing: the workload goes along with every call. */
    final class Repeated implements Kept {
        private final Engine engine;
        private FrameWriter workload;

        Repeated(Engine engine, FrameWriter workload) {
            this.engine = engine;
            this.workload = workload;
        }

        @Override
        public synchronized byte[] call(int operation, String control) {
            if (workload == null) {
                throw RasherException.of(2, "the workload is not open (any more)");
            }
            return workload.with(operation, control, engine::call);
        }

        @Override
        public synchronized void close() {
            workload = null;
        }
    }
}
