"""Hold estimates before labels against what labels showed, on real event sets.

    python benchmarks/estimates.py ../shared/data

runs the job over each set in windows of a week and prints a Markdown table: of each method and metric the truth, the
estimate and how far it was off in the mean of the weeks; how far the reference's own value was off; and the share of
weeks in which the truth lay in the estimate's 95 % interval. Then how often, and how far, scores no longer meant what
they meant. With --weeks, every week.
"""

import gzip
import json
import subprocess
import sys
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import numpy as np

Told = Mapping[str, Any]

ERROR: Final = "mlvitals.performance.estimate_error"
METRICS: Final = ("accuracy", "precision", "recall", "f1", "roc_auc", "mae", "rmse", "bias")

ESTIMATES: Final = (
    "set",
    "method",
    "metric",
    "weeks",
    "truth",
    "estimate",
    "off by",
    "the reference is off by",
    "half width",
    "in the interval",
)
SHIFTS: Final = ("set", "method", "weeks", "least", "median", "greatest", "weeks that warn")


class EventSet(NamedTuple):
    """Events of a folder, the model they are of, the age at which labels are complete, and what replaces events."""

    name: str
    folder: str
    model: str
    maturity: str
    planted: str | None = None


HERE: Final = Path("../shared/data")

SETS: Final = (
    EventSet("fraud", "fraud", "card-fraud", "60d"),
    EventSet("fraud, with faults planted", "fraud", "card-fraud", "60d", "events_planted.jsonl.gz"),
    EventSet("elec2", "elec2", "price-direction", "7d"),
    EventSet("kc_house", "kc_house", "house-price", "90d"),
)


def run(one: EventSet, data: Path, place: Path) -> list[Told]:
    """Run the job over a set and return what it measured."""
    events = place / "events.jsonl.gz"
    with gzip.open(events, "wt", encoding="utf-8", compresslevel=1) as file:
        file.writelines(f"{json.dumps(event)}\n" for event in served(one, data))
    config = {
        "service": {"name": "estimates", "environment": "measured"},
        "models": [
            {
                "name": one.model,
                "windows": {"size": "1w", "lateness": "10m"},
                "labels": {"maturities": [one.maturity]},
                "operating": {"path": "model.reference"},
            }
        ],
        "sources": [
            {"type": "file", "path": str(events), "role": "predictions"},
            {"type": "file", "path": str(data / one.folder / "labels.jsonl.gz"), "role": "labels"},
        ],
        "sinks": [{"type": "local"}],
    }
    (place / "mlvitals.yaml").write_text(json.dumps(config))
    rows = (data / one.folder / "reference.parquet").resolve()
    call(place, "reference", "build", "-c", "mlvitals.yaml", "--data", str(rows), "-o", "model.reference")
    call(place, "run", "-c", "mlvitals.yaml", "--once")
    return [
        json.loads(line) for line in call(place, "signals", "-c", "mlvitals.yaml", "--format", "jsonl").splitlines()
    ]


def served(one: EventSet, data: Path) -> Iterator[Told]:
    """Yield a set's events, each replaced by what is planted in its place."""
    planted = {} if one.planted is None else {event["prediction_id"]: event for event in read(data, one, one.planted)}
    for event in read(data, one, "events.jsonl.gz"):
        yield planted.get(event["prediction_id"], event)


def read(data: Path, one: EventSet, name: str) -> Iterator[Told]:
    """Yield the events of a file."""
    with gzip.open(data / one.folder / name) as file:
        yield from map(json.loads, file)


def call(place: Path, *words: str) -> str:
    """Return what a command says."""
    command = [sys.executable, "-m", "mlvitals", *words]
    return subprocess.run(command, cwd=place, check=True, capture_output=True, text=True).stdout


def rows_of(one: EventSet, found: Sequence[Told]) -> Iterator[str]:
    """Yield a set's rows of the table: of whole weeks, which are those with enough rows to be judged."""
    references = {
        (told["attributes"]["method"], told["attributes"]["metric"]): told["evidence"].get("reference")
        for told in found
        if told["signal"] == "mlvitals.performance.estimated"
    }
    errors = defaultdict(list)
    for told in found:
        method, metric = (told["attributes"].get(name) for name in ("method", "metric"))
        if told["signal"] == ERROR and told["status"] == "ok" and metric in METRICS:
            errors[method, metric].append(told)
    for method, metric in sorted(errors, key=lambda key: (key[0], METRICS.index(key[1]))):
        weeks = errors[method, metric]
        truth, estimate = (np.array([week["evidence"][name] for week in weeks]) for name in ("realised", "estimated"))
        lower, upper = (np.array([week[name] for week in weeks]) for name in ("lower", "upper"))
        off, usual = np.abs(truth - estimate), np.abs(truth - references[method, metric])
        numbers = (truth, estimate, off, usual, (upper - lower) / 2)
        inside = np.mean((lower <= 0) & (upper >= 0))
        yield row(one.name, method, metric, len(weeks), *(f"{part.mean():.3g}" for part in numbers), f"{inside:.0%}")


def row(*cells: object) -> str:
    """Return a row of a Markdown table."""
    return f"| {' | '.join(map(str, cells))} |"


def shifts_of(one: EventSet, found: Sequence[Told]) -> Iterator[str]:
    """Yield a set's rows of what labels say of the scores' meaning."""
    shifts = defaultdict(list)
    for told in found:
        if told["signal"] == "mlvitals.performance.miscalibration" and told["status"] != "insufficient_data":
            shifts[told["attributes"]["method"]].append(told)
    for method, weeks in shifts.items():
        values = np.array([week["value"] for week in weeks])
        warned = [week["window_start"][:10] for week in weeks if week["status"] == "warning"]
        extent = (f"{value:.2f}" for value in (values.min(), np.median(values), values.max()))
        first = f", from {warned[0]} on" if warned else ""
        yield row(one.name, method, len(weeks), *extent, f"{len(warned)}{first}")


def each_week(found: Sequence[Told]) -> Iterator[str]:
    """Yield every week's estimates beside what labels showed."""
    for told in found:
        if told["signal"] == ERROR and told["attributes"]["metric"] in METRICS:
            values = ", ".join(f"{name} {told['evidence'][name]:.4g}" for name in ("estimated", "realised"))
            about = told["attributes"]
            yield f"{told['window_start'][:10]} {about['method']} {about['metric']}: {values} ({told['status']})"


def main() -> None:
    """Print the tables."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", default=HERE, help=f"the folder of the event sets, else {HERE}")
    parser.add_argument("--weeks", action="store_true", help="print every week too")
    asked = parser.parse_args()
    if not asked.data.is_dir():
        print(f"left out: the real event sets are not at hand: {asked.data} is no folder")
        return
    tables: tuple[list[str], list[str], list[str]] = ([], [], [])
    for one in SETS:
        with TemporaryDirectory() as place:
            found = run(one, asked.data.resolve(), Path(place))
        for table, lines in zip(tables, (rows_of(one, found), shifts_of(one, found), each_week(found)), strict=True):
            table.extend(lines)
    print(row(*ESTIMATES), row(*["---"] * len(ESTIMATES)), *tables[0], "", sep="\n")
    print(row(*SHIFTS), row(*["---"] * len(SHIFTS)), *tables[1], sep="\n")
    if asked.weeks:
        print("", *tables[2], sep="\n")


if __name__ == "__main__":
    main()
