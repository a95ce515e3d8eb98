"""prtpy: greedy (longest first), MULTIFIT or Karmarkar-Karp."""

import sys

import prtpy

import common

ALGORITHMS = {
    "greedy": prtpy.partitioning.greedy,
    "multifit": prtpy.partitioning.multifit,
    "kk": prtpy.partitioning.kk,
}


def split(names, seconds, shards):
    items = dict(zip(names, seconds))
    return prtpy.partition(algorithm=ALGORITHMS[sys.argv[3]], numbins=shards, items=items)


common.run(split)
