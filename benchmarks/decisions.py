"""What deciding costs, and what it is worth: CPU and state of the detectors; false pages and delays by simulation.

Prints JSON: CPU milliseconds of a window of 100 features of 22 bins (the best of several, as other work only ever
adds), and bytes of state a feature. Exits with 1 where they are above 20 ms or 64 KB.

    PYTHONPATH=. python benchmarks/decisions.py --weeks 120 --picture docs/images/decisions-simulation.svg

simulates so many weeks of each setting, too, and prints the table of what came of it, and draws it.
"""

import json
import sys
import time
from argparse import ArgumentParser
from pathlib import Path

import numpy as np

from mlvitals.decisions.ensemble import Ensemble, Rule
from tests.soak.paging import SIZE, WEEK, Setting, counts, learnt, start
from tests.soak.paging_runs import ALONE, MIN_EFFECT, SETTINGS, TOLERANCE, simulated
from tests.soak.paging_table import picture, table

FEATURES = 100
MOST_SECONDS = 0.020
MOST_BYTES = 65_536
MODELS = 4  # simulated side by side
WEEKS = 15  # of each of them


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


def simulate(weeks: int, drawn: Path | None) -> None:
    """Simulate so many weeks of each setting at least, print what came of it, and draw it."""
    batches = -(-weeks // (MODELS * WEEKS))
    found = simulated(SETTINGS, models=MODELS, batches=batches, weeks=WEEKS, delay_batches=4)
    print(table(found))
    if drawn is not None:
        drawn.write_text(picture(found))


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", type=int, default=0, help="of each setting")
    parser.add_argument("--picture", type=Path, help="a file for an SVG of what was simulated")
    asked = parser.parse_args()
    if asked.weeks:
        simulate(asked.weeks, asked.picture)
    seconds, size = cost()
    print(json.dumps({"milliseconds of 100 features": round(1e3 * seconds, 2), "bytes of a feature": size}, indent=2))
    return 0 if seconds < MOST_SECONDS and size < MOST_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
