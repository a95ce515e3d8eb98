"""What the Python adapters share: read durations, time the algorithm, write the shards."""

import json
import sys
import time


def run(split):
    """Calls split(names, seconds, shards) and writes what it gives with its time alone."""
    with open(sys.argv[1], encoding="utf-8") as file:
        durations = json.load(file)
    names, seconds = list(durations), list(durations.values())
    began = time.perf_counter()
    shards = split(names, seconds, int(sys.argv[2]))
    took = time.perf_counter() - began
    json.dump({"algorithm_s": took, "shards": shards}, sys.stdout)
