package dev.rasher;

import java.nio.file.Paths;
import java.util.List;

/** Carries a request frame to the engine and its answer back. */
interface Engine {
    byte[] call(byte[] request);

    Transport transport();

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

    private static Engine openBest() {
        if (!Library.isAccessEnabled()) {
            return new OutOfProcess(Command.find());
        }
        try {
            return InProcess.open();
        } catch (RasherException.StoreException noLibrary) {
            try {
                return new OutOfProcess(Command.find());
            } catch (RasherException.StoreException noCommand) {
                noLibrary.addSuppressed(noCommand);
                throw noLibrary;
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
        public byte[] call(byte[] request) {
            return Native.call(request);
        }

        @Override
        public Transport transport() {
            return Transport.JNI;
        }
    }

    /** Through the command, one process a call. */
    final class OutOfProcess implements Engine {
        private final Command command;

        OutOfProcess(Command command) {
            this.command = command;
        }

        @Override
        public byte[] call(byte[] request) {
            Command.Ended ended = command.run(Paths.get("").toAbsolutePath(), List.of("bridge"), request);
            if (ended.exitCode != 0) {
                throw RasherException.of(ended.exitCode, ended.words());
            }
            return ended.out;
        }

        @Override
        public Transport transport() {
            return Transport.PROCESS;
        }
    }
}
