"""Counting a column in frozen bins, in one run: the ways that `mlvitals.windows.binning` chooses from.

Prints JSON: millions of values per CPU second by rows in a group, for twenty-four bins (a feature's twenty, 0 and what
is out of its range) and two thousand (scores). Exits with 1 where searching for each value would be quicker than the
way that is chosen for a full batch.
"""

import json
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from mlvitals.windows.binning import _count_by_comparing, _count_by_searching, _count_by_sorting

CHOSEN = {24: "comparing", 2_000: "sorting"}
ROWS = (512, 2_048, 16_384, 131_072)
ROUNDS = 7


def rate(count: Callable[[], object], rows: int) -> float:
    repeats = max(1, 500_000 // rows)
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(repeats):
            count()
        best = min(best, (time.process_time() - began) / repeats)
    return round(rows / best / 1e6, 1)


def measure(bins: int, rows: int) -> dict[str, float]:
    values = np.random.default_rng(1).normal(size=rows)
    edges = np.quantile(np.random.default_rng(2).normal(size=200_000), np.arange(1, bins) / bins)
    ways = {
        "sorting": partial(_count_by_sorting, values, edges),
        "searching": partial(_count_by_searching, values, edges, np.array([0, rows])),
    }
    if CHOSEN[bins] == "comparing":
        ways["comparing"] = partial(_count_by_comparing, values, edges)
    return {name: rate(way, rows) for name, way in ways.items()}


def main() -> int:
    report = {bins: {rows: measure(bins, rows) for rows in ROWS} for bins in CHOSEN}
    print(json.dumps(report, indent=2))
    return int(any(report[bins][ROWS[-1]][way] < report[bins][ROWS[-1]]["searching"] for bins, way in CHOSEN.items()))


if __name__ == "__main__":
    sys.exit(main())
