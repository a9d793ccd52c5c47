"""What deciding costs, and what it is worth: CPU and state of the detectors; false pages and delays by simulation.

Prints JSON: CPU milliseconds of a window of 100 features of 22 bins (the best of several, as other work only ever
adds), and bytes of state a feature. Exits with 1 where they are above 20 ms or 64 KB.

    PYTHONPATH=. python benchmarks/decisions.py --weeks 80

simulates so many weeks of each setting, too, and prints the table of what came of it.
"""

import json
import sys
import time
from argparse import ArgumentParser

import numpy as np

from mlvitals.decisions.ensemble import Ensemble, Rule
from tests.soak.paging import SIZE, WEEK, Setting, counts, learnt, start
from tests.soak.paging_runs import ALONE, MIN_EFFECT, SETTINGS, TOLERANCE, simulated
from tests.soak.paging_table import table

FEATURES = 100
MOST_SECONDS = 0.020
MOST_BYTES = 65_536
MODELS = 4  # simulated side by side
WEEKS = 10  # of each of them


def cost() -> tuple[float, float]:
    """Return CPU seconds of a window, and bytes of a feature."""
    setting, generator = Setting(name="season", rows=2000, weeks=2), np.random.default_rng(1)
    ensemble = Ensemble(
        learnt(setting, generator, features=FEATURES), Rule(size=SIZE, tolerance=TOLERANCE, min_effect=MIN_EFFECT)
    )
    bars = dict.fromkeys(ensemble.sources, ALONE)
    best = float("inf")
    for place, window in enumerate(counts(setting, generator, WEEK, features=FEATURES)):
        began = time.process_time()
        ensemble.take(window, start(setting.weeks * WEEK + place), bars)
        best = min(best, time.process_time() - began)
    return best, sum(array.nbytes for array in ensemble.kept) / FEATURES


def simulate(weeks: int) -> None:
    """Simulate so many weeks of each setting at least, and print what came of it."""
    batches = -(-weeks // (MODELS * WEEKS))
    print(table(simulated(SETTINGS, models=MODELS, batches=batches, weeks=WEEKS, delay_batches=2)))


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, default=0, help="of each setting")
    weeks = parser.parse_args().weeks
    if weeks:
        simulate(weeks)
    seconds, size = cost()
    print(json.dumps({"milliseconds of 100 features": round(1e3 * seconds, 2), "bytes of a feature": size}, indent=2))
    return 0 if seconds < MOST_SECONDS and size < MOST_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
