package dev.rasher;

/** Opens the engine as told and prints how it is reached, or why not: what a test asks a fresh JVM. */
final class LoaderProbe {
    private LoaderProbe() {}

    public static void main(String[] args) {
        try {
            Rasher rasher = Rasher.open(Transport.valueOf(args[0]));
            int shards = rasher.plan(new Workload().add("a", null, 1), 3).shards().size();
            System.out.println(rasher.transport() + " " + rasher.version() + " " + shards);
        } catch (RasherException e) {
            System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage());
        }
    }
}
