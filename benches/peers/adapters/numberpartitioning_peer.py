"""numberpartitioning: greedy or Karmarkar-Karp."""

import sys

import numberpartitioning

import common

ALGORITHMS = {
    "greedy": numberpartitioning.greedy,
    "kk": numberpartitioning.karmarkar_karp,
}


def split(names, seconds, shards):
    found = ALGORITHMS[sys.argv[3]](seconds, num_parts=shards, return_indices=True)
    return [[names[at] for at in part] for part in found.partition]


common.run(split)
