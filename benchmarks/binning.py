"""Counting a column in twenty quantile bins: comparing with each edge against searching for each value, in one run.

Prints JSON: millions of values per CPU second for both, by rows in a group; exits with 1 where the choice in
`mlvitals.windows.binning` is the slower one at the size of a full batch.
"""

import json
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from mlvitals.windows.binning import _count_by_comparing, _count_by_searching

EDGES = 19
ROUNDS = 7


def rate(count: Callable[[], object], rows: int) -> float:
    repeats = max(1, 2_000_000 // rows)
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(repeats):
            count()
        best = min(best, (time.process_time() - began) / repeats)
    return round(rows / best / 1e6, 1)


def main() -> int:
    random = np.random.default_rng(1)
    report = {}
    for rows in (512, 2_048, 16_384, 131_072):
        values = random.normal(size=rows)
        edges = np.quantile(values, np.arange(1, EDGES + 1) / (EDGES + 1))
        bounds = np.array([0, rows])
        comparing = rate(partial(_count_by_comparing, values, edges), rows)
        searching = rate(partial(_count_by_searching, values, edges, bounds), rows)
        report[rows] = {"comparing": comparing, "searching": searching}
    print(json.dumps(report, indent=2))
    return 0 if report[131_072]["comparing"] > report[131_072]["searching"] else 1


if __name__ == "__main__":
    sys.exit(main())
