/**
 * Rasher for Java: the verbs of the command, and planning of workloads that are already in memory.
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
