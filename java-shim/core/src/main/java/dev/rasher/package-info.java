/**
 * Rasher for Java: the verbs of the command in the same words, {@code plan}, {@code shard}, {@code verify},
 * {@code retry} and {@code verdict}, on what is already in memory, in process or through the command.
 *
 * <pre>{@code
 * Rasher rasher = Rasher.open(Transport.AUTO);
 * Workload workload = new Workload()
 *         .add("demo.ATest#adds", "demo.ATest", 1_200_000)
 *         .add("demo.BTest#reads", "demo.BTest", 800_000);
 * Plan plan = rasher.plan(workload, 2);
 * }</pre>
 */
package dev.rasher;
