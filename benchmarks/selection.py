"""Hold performance of young cohorts, corrected for which labels come first, against what all labels showed later.

    python benchmarks/selection.py ../shared/data

runs the job over the fraud set, in windows of a week and of a day, and prints a Markdown table: for each maturity and
metric how many cohorts there are, in how many the worst and the best held the truth of 60 d, how many were corrected
and in how many of these the 95 % interval held it; the median widths; and how far the corrected value and that of the
labelled predictions alone were off in the median, over the cohorts that were corrected, or over all where none was.
Then, of simulated labels, how often the interval holds how many there will be, where cohorts differ by more than chance
(a correlation of labels within a cohort), beside that of binomial noise alone. Without the sets, this only.
"""

import json
import subprocess
import sys
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from mlvitals.signals.arrival import Arrival
from mlvitals.signals.completion import Group, complete
from mlvitals.signals.delay_curve import Curve, curve_of

Told = Mapping[str, Any]

HERE: Final = Path("../shared/data")
MATURITIES: Final = ("1d", "7d", "30d", "45d", "60d")
METRICS: Final = ("precision", "recall", "f1", "accuracy")
SIZES: Final = ("1w", "1d")
LEAST: Final = 300  # predictions of a cohort: the first and the last week are of a few days
UNTIL: Final = "2018-12-01T00:00:00Z"  # every cohort is 60 d old by then

COLUMNS: Final = (
    "windows",
    "age",
    "metric",
    "cohorts",
    "within the bounds",
    "their width",
    "corrected",
    "in the interval",
    "its width",
    "corrected is off by",
    "labelled only is off by",
)

SIMULATED: Final = ("likeness", "cohorts", "by chance alone: held", "width", "as told: held", "width")
DRAWS: Final = 600


def run(size: str, data: Path, place: Path) -> list[Told]:
    """Run the job over the set and return what it measured."""
    config = {
        "service": {"name": "selection", "environment": "measured"},
        "models": [
            {
                "name": "card-fraud",
                "windows": {"size": size, "lateness": "10m"},
                "labels": {"maturities": MATURITIES},
                "operating": {"path": "model.reference"},
                "features": {"include": ["amount"]},
            }
        ],
        "sources": [
            {"type": "file", "path": str(data / "fraud" / "events.jsonl.gz"), "role": "predictions"},
            {"type": "file", "path": str(data / "fraud" / "labels.jsonl.gz"), "role": "labels"},
        ],
        "sinks": [{"type": "local"}],
    }
    (place / "mlvitals.yaml").write_text(json.dumps(config))
    rows = str(data / "fraud" / "reference.parquet")
    call(place, "reference", "build", "-c", "mlvitals.yaml", "--data", rows, "-o", "model.reference")
    call(place, "run", "-c", "mlvitals.yaml", "--until", UNTIL)
    lines = call(place, "signals", "-c", "mlvitals.yaml", "--format", "jsonl").splitlines()
    return [json.loads(line) for line in lines]


def call(place: Path, *words: str) -> str:
    """Return what a command says."""
    command = [sys.executable, "-m", "mlvitals", *words]
    return subprocess.run(command, cwd=place, check=True, capture_output=True, text=True).stdout


def rows_of(size: str, found: Sequence[Told]) -> Iterator[str]:
    """Yield the rows of the table."""
    served = {told["window_start"]: told["value"] for told in found if told["signal"] == "mlvitals.prediction.count"}
    told_of: dict[str, dict[tuple[str, str, str], Told]] = defaultdict(dict)
    for told in found:
        about = told["attributes"]
        if told["signal"] in {"mlvitals.performance.score", "mlvitals.performance.corrected"}:
            told_of[told["signal"].rpartition(".")[2]][told["window_start"], about["maturity"], about["metric"]] = told
    scores, corrected = told_of["score"], told_of["corrected"]
    for age in MATURITIES[:-1]:
        for metric in METRICS:
            starts = [start for start, count in served.items() if count >= LEAST and (start, age, metric) in scores]
            starts = [start for start in starts if (start, MATURITIES[-1], metric) in scores]
            if starts:
                truths = {start: scores[start, MATURITIES[-1], metric]["value"] for start in starts}
                plain = {start: scores[start, age, metric] for start in starts}
                better = {start: corrected[start, age, metric] for start in starts if (start, age, metric) in corrected}
                yield row(f"`{size}`", age, metric, *cells(truths, plain, better))


def cells(truths: Mapping[str, float], plain: Mapping[str, Told], better: Mapping[str, Told]) -> Iterator[str]:
    """Yield the figures of a maturity and metric, by window."""
    ends = {start: (told["evidence"]["worst"], told["evidence"]["best"]) for start, told in plain.items()}
    yield f"{len(plain)}"
    yield f"{sum(lower - 1e-12 <= truths[start] <= upper + 1e-12 for start, (lower, upper) in ends.items())}"
    yield f"{np.median([upper - lower for lower, upper in ends.values()]):.3f}"
    yield f"{len(better)}"
    held = sum(told["lower"] - 1e-12 <= truths[start] <= told["upper"] + 1e-12 for start, told in better.items())
    yield f"{held}" if better else "–"
    yield f"{np.median([told['upper'] - told['lower'] for told in better.values()]):.3f}" if better else "–"
    yield off(truths, better) if better else "–"
    yield off(truths, {start: plain[start] for start in better or plain})


def off(truths: Mapping[str, float], told: Mapping[str, Told]) -> str:
    """Return the median of how far values are from the truth."""
    return f"{np.median([abs(one['value'] - truths[start]) for start, one in told.items()]):.3f}"


def simulated(likeness: float, cohorts: int) -> Iterator[str]:
    """Yield, of 150 labels in the mean of which 27 % come early, how often both intervals held them, and the widths."""
    random = np.random.default_rng(7)
    held, widths = np.zeros(2), []
    for _ in range(DRAWS):
        final = random.poisson(150, cohorts + 1)
        spread = 1 / likeness - 1 if likeness else 0.0
        chances = random.beta(0.27 * spread, 0.73 * spread, cohorts + 1) if likeness else np.full(cohorts + 1, 0.27)
        known = random.binomial(final, chances)
        total, early = int(final[1:].sum()), int(known[1:].sum())
        alone = Curve(early + 0.5, total - early + 0.5, early / total, 0.0)
        ends = [interval(int(known[0]), curve) for curve in (alone, curve_of(known[1:], final[1:]))]
        held += [lower <= final[0] <= upper for lower, upper in ends]
        widths.append([upper - lower for lower, upper in ends])
    for share, width in zip(held / DRAWS, np.median(widths, axis=0), strict=True):
        yield f"{share:.0%}"
        yield f"{width:.0f}"


def interval(known: int, curve: Curve | None) -> tuple[float, float]:
    """Return the 95 % interval of how many labels there will be, of which so many have come."""
    found = complete(Group(100_000, 0, known), Arrival(None, curve, None, complete=True))
    if found is None:
        return 0.0, 0.0
    lower, upper = np.quantile(found.positives, [0.025, 0.975]).tolist()
    return lower, upper


def row(*words: str) -> str:
    """Return a row of a Markdown table."""
    return f"| {' | '.join(words)} |"


def main() -> None:
    """Print the table."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", default=HERE, help=f"the folder of the event sets, else {HERE}")
    asked = parser.parse_args()
    if not asked.data.is_dir():
        print(f"left out: the real event sets are not at hand: {asked.data} is no folder", "", sep="\n")
    else:
        print(row(*COLUMNS), row(*["---"] * len(COLUMNS)), sep="\n")
        for size in SIZES:
            with TemporaryDirectory() as place:
                print(*rows_of(size, run(size, asked.data.resolve(), Path(place))), sep="\n", flush=True)
        print()
    print(row(*SIMULATED), row(*["---"] * len(SIMULATED)), sep="\n")
    for likeness in (0.0, 0.01, 0.05):
        for cohorts in (3, 6, 12):
            print(row(f"{likeness:g}", str(cohorts), *simulated(likeness, cohorts)))


if __name__ == "__main__":
    main()
