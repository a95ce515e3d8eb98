"""pytest-split: both of its algorithms on the items of a finished collection.

Reading `.test_durations` and splitting is what every node repeats; collection is not counted.
"""

import sys

from pytest_split import algorithms

import common


class Item:
    """The one thing that the algorithms ask of a collected test."""

    __slots__ = ("nodeid",)

    def __init__(self, nodeid):
        self.nodeid = nodeid

    def __str__(self):
        return self.nodeid


ALGORITHMS = {
    "least_duration": algorithms.LeastDurationAlgorithm,
    "duration_based_chunks": algorithms.DurationBasedChunksAlgorithm,
}


def split(names, seconds, shards):
    items = [Item(name) for name in names]
    groups = ALGORITHMS[sys.argv[3]]()(shards, items, dict(zip(names, seconds)))
    return [[item.nodeid for item in group.selected] for group in groups]


common.run(split)
