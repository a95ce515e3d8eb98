#!/usr/bin/env python3
"""Optima of small hard instances, found apart from Rasher, and what a general solver makes of them.

    target/peers/venv/bin/python benches/peers/oracle.py --seconds 10 < instances.json

Reads a list of {name, shards, durations, makespan, lower_bound}, where the makespan is one that some
plan reaches. HiGHS proves the optimum with an arc-flow model (Valerio de Carvalho 1999): can all tests
be packed within C on so many workers? The search goes down from the known makespan. OR-Tools CP-SAT
answers the same instance from nothing in --cp-seconds. Prints {"schema": "rasher.oracle/1", ...}.
"""

import argparse
import collections
import json
import subprocess
import sys
import time


def arcs_of(sizes, capacity):
    """Arcs (from, to, size) of the graph in which every path from 0 is one worker's tests, longest
    first, and all its nodes."""
    nodes, arcs = {0}, []
    for size, count in sizes:
        for start in sorted(nodes):
            at = start
            for _ in range(count):
                if at + size > capacity or (at, at + size, size) in nodes:
                    break
                arcs.append((at, at + size, size))
                at += size
        nodes.update(to for _, to, length in arcs if length == size)
    return sorted(set(arcs)), sorted(nodes)


def fits(durations, shards, capacity, seconds):
    """True or False where proved; None where the time was too short."""
    import highspy  # OR-Tools and HiGHS break each other in one process: each is loaded where it is used
    counts = collections.Counter(durations)
    sizes = sorted(counts.items(), reverse=True)
    if sizes[0][0] > capacity or sum(durations) > shards * capacity:
        return False
    arcs, nodes = arcs_of(sizes, capacity)
    place = {node: at for at, node in enumerate(nodes)}
    end = len(nodes)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("time_limit", float(seconds))
    solver.setOptionValue("threads", 1)
    flow = [solver.addIntegral(lb=0, ub=min(shards, counts[size])) for _, _, size in arcs]
    leave = [solver.addIntegral(lb=0, ub=shards) for _ in nodes]
    balance = [[] for _ in range(end)]
    covered = collections.defaultdict(list)
    for (start, to, size), arc in zip(arcs, flow):
        balance[place[start]].append((arc, -1))
        balance[place[to]].append((arc, 1))
        covered[size].append(arc)
    for at, out in enumerate(leave):
        balance[at].append((out, -1))
    for at in range(1, end):
        solver.addConstr(sum(sign * arc for arc, sign in balance[at]) == 0)
    solver.addConstr(sum(-sign * arc for arc, sign in balance[0]) <= shards)
    for size, count in sizes:
        solver.addConstr(sum(covered[size]) == count)
    solver.minimize(sum(-sign * arc for arc, sign in balance[0]))
    status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kOptimal:
        return True
    if status == highspy.HighsModelStatus.kInfeasible:
        return False
    return None


def optimum(instance, seconds):
    """The least makespan that is proved to be needed and the least that is known to be reached."""
    low, high = instance["lower_bound"], instance["makespan"]
    until = time.monotonic() + seconds
    while low < high:
        # From above first: most plans are optimal, and then one proof is all.
        middle = high - 1 if high == instance["makespan"] else (low + high - 1) // 2
        left = until - time.monotonic()
        answer = fits(instance["durations"], instance["shards"], middle, left) if left > 0 else None
        if answer is None:
            break
        if answer:
            high = middle
        else:
            low = middle + 1
    return low, high


def by_cp_sat(instance, seconds):
    """What CP-SAT reaches from nothing in so many seconds; None where it finds no plan."""
    from ortools.sat.python import cp_model
    model = cp_model.CpModel()
    shards, durations = instance["shards"], instance["durations"]
    makespan = model.new_int_var(max(durations), sum(durations), "makespan")
    on = [[model.new_bool_var("") for _ in range(shards)] for _ in durations]
    for row in on:
        model.add_exactly_one(row)
    for shard in range(shards):
        model.add(sum(d * row[shard] for d, row in zip(durations, on)) <= makespan)
    model.minimize(makespan)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    found = solver.solve(model) in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    return int(solver.objective_value) if found else None


def all_by_cp_sat(text, seconds):
    """The answers of CP-SAT from a process of its own; None for each where it is not installed."""
    command = [sys.executable, __file__, "--only-cp-sat", "--cp-seconds", str(seconds)]
    found = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if found.returncode != 0:
        print("no answers of CP-SAT: is ortools installed?", file=sys.stderr)
        return None
    return json.loads(found.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="for each optimum")
    parser.add_argument("--cp-seconds", type=float, default=1.0, help="for each answer of CP-SAT")
    parser.add_argument("--total", type=float, default=300.0, help="for all optima; what is left stays open")
    parser.add_argument("--only-cp-sat", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    text = sys.stdin.read()
    instances = json.loads(text)
    if arguments.only_cp_sat:
        print(json.dumps([by_cp_sat(instance, arguments.cp_seconds) for instance in instances]))
        return
    solved = all_by_cp_sat(text, arguments.cp_seconds)
    until = time.monotonic() + arguments.total
    answers = []
    for at, instance in enumerate(instances):
        began = time.monotonic()
        low, high = optimum(instance, min(arguments.seconds, max(until - began, 0.0)))
        took = time.monotonic() - began
        answers.append({"name": instance["name"], "low": low, "high": high, "seconds": round(took, 3),
                        "cp_sat": solved and solved[at]})
        print(f"{instance['name']}: {low} to {high} in {took:.1f} s", file=sys.stderr)
    print(json.dumps({"schema": "rasher.oracle/1", "highs_seconds": arguments.seconds,
                      "cp_sat_seconds": arguments.cp_seconds if solved else None, "answers": answers}))


if __name__ == "__main__":
    main()
