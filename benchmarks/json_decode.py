"""Decode JSON Lines to checked columns: native ones against plain pyarrow.json, a mapped log against native ones.

Usage: python benchmarks/json_decode.py [--events 100000] [--rounds 5]

The same events stand in each log: as native events, nested elsewhere and mapped by paths (`nested`), and as one text of
JSON inside each line (`text`). Plain pyarrow.json reads the native ones with an explicit schema. Prints rates (events
per CPU second, the best of some rounds) and ratios; exits with 1 below a floor.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.json

from mlvitals.events import RawBatch
from mlvitals.formats import DecodePlan, Format, FormatConfig, JsonFormat, MlvitalsFormat, Want
from mlvitals.formats.lines import BLOCK_BYTES

NUMERIC = tuple(f"num_{index:02d}" for index in range(20))
CATEGORICAL = {"channel": 3, "country": 40, "merchant": 1_000, "device": 10_000, "postcode": 100_000}
FLOOR = 0.6
MAPPED_FLOOR = 0.5  # of the native rate, nested; a text inside is read twice
WANTS = dict.fromkeys(NUMERIC, Want.NUMBER) | dict.fromkeys(CATEGORICAL, Want.TEXT)
_MAP = {
    "timestamp": "@timestamp",
    "model": "service.model",
    "model_version": "service.version",
    "prediction_id": "trace.id",
    "features.*": "ml.in.*",
    "prediction.label": "ml.out.class",
    "prediction.score": "ml.out.p",
    "latency_ms": "took",
}
NESTED = JsonFormat(where={"kind": "inference"}, map=_MAP)
TEXT = JsonFormat(
    where={"kind": "inference"},
    json=("message",),
    map={name: path.replace("ml.", "message.") for name, path in _MAP.items()},
)


def write_events(path: Path, count: int) -> None:
    """Write seeded events of 25 features, a millisecond apart."""
    random.seed(20260301)
    with path.open("w", encoding="utf-8") as file:
        for index in range(count):
            features: dict[str, object] = {name: round(random.gauss(50.0, 20.0), 4) for name in NUMERIC}
            for name, size in CATEGORICAL.items():
                features[name] = f"{name[0]}{random.randrange(size)}"
            seconds, milliseconds = divmod(index, 1_000)
            event = {
                "event": "prediction",
                "timestamp": f"2026-03-01T{seconds // 3600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
                f".{milliseconds:03d}Z",
                "model": "card-fraud",
                "model_version": "7",
                "prediction_id": f"p{index:08d}",
                "features": features,
                "prediction": {"label": str(index % 2), "score": round(random.random(), 6)},
                "latency_ms": round(random.expovariate(0.1), 2),
            }
            file.write(json.dumps(event, separators=(",", ":")) + "\n")


def schema() -> pa.Schema:
    """Return the explicit schema of these events, as one would write it for pyarrow.json."""
    features = [(name, pa.float64()) for name in NUMERIC] + [(name, pa.string()) for name in CATEGORICAL]
    names = ("event", "timestamp", "model", "model_version", "prediction_id")
    return pa.schema(
        [
            *((name, pa.string()) for name in names),
            ("features", pa.struct(features)),
            ("prediction", pa.struct([("label", pa.string()), ("score", pa.float64())])),
            ("latency_ms", pa.float64()),
        ]
    )


def read_plainly(path: Path) -> int:
    """Read the file with pyarrow.json, one thread, our block size."""
    table = pyarrow.json.read_json(
        path,
        read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
        parse_options=pyarrow.json.ParseOptions(explicit_schema=schema(), unexpected_field_behavior="error"),
    )
    return int(table.num_rows)


def write_mapped(path: Path, native: Path, *, text: bool) -> None:
    """Write the events of a native log as a service would log them."""
    with native.open(encoding="utf-8") as events, path.open("w", encoding="utf-8") as file:
        for line in events:
            event = json.loads(line)
            inside = {
                "in": event["features"],
                "out": dict(zip(("class", "p"), event["prediction"].values(), strict=True)),
            }
            logged = {
                "@timestamp": event["timestamp"],
                "log": {"level": "INFO", "logger": "app.scoring"},
                "kind": "inference",
                "service": {"model": event["model"], "version": event["model_version"]},
                "trace": {"id": event["prediction_id"]},
                "took": event["latency_ms"],
            }
            logged |= {"message": json.dumps(inside, separators=(",", ":"))} if text else {"ml": inside}
            file.write(json.dumps(logged, separators=(",", ":")) + "\n")


def read_events(reader: Format, path: Path) -> int:
    """Read the file as the main job does: cut, decode, check, split."""
    rows = 0
    with path.open("rb") as stream:
        for cut in reader.cut(stream, path, 0, complete=True):
            batch = reader.decode(RawBatch(data=cut.data, place=path.name, position=b"", first_line=cut.first_line))
            rows += batch.predictions.num_rows
    return rows


def seconds(read: Callable[[Path], int], path: Path, events: int) -> float:
    """Return the CPU seconds of one reading."""
    start = time.process_time()
    assert read(path) == events
    return time.process_time() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    plan = DecodePlan(features=WANTS)
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder, f"{name}.jsonl") for name in ("native", "nested", "text")}
        write_events(paths["native"], arguments.events)
        write_mapped(paths["nested"], paths["native"], text=False)
        write_mapped(paths["text"], paths["native"], text=True)
        formats: dict[str, FormatConfig] = {"native": MlvitalsFormat(), "nested": NESTED, "text": TEXT}
        best: dict[str, float] = {}
        for _ in range(arguments.rounds):  # turn by turn, so that what else the machine does falls on all
            turn = {"plain": seconds(read_plainly, paths["native"], arguments.events)}
            for name, config in formats.items():
                turn[name] = seconds(partial(read_events, config.open(plan)), paths[name], arguments.events)
            best = {name: min(spent, best.get(name, spent)) for name, spent in turn.items()}
        size = paths["native"].stat().st_size / arguments.events
    figures = {
        "events": arguments.events,
        "bytes_per_event": round(size, 1),
        "pyarrow_json_events_per_cpu_second": round(arguments.events / best["plain"]),
        "mlvitals_events_per_cpu_second": round(arguments.events / best["native"]),
        "ratio": round(best["plain"] / best["native"], 3),
        "floor": FLOOR,
        "mapped": {
            name: {
                "events_per_cpu_second": round(arguments.events / best[name]),
                "of_native": round(best["native"] / best[name], 3),
            }
            for name in ("nested", "text")
        },
        "mapped_floor": MAPPED_FLOOR,
    }
    print(json.dumps(figures))
    good = best["plain"] / best["native"] >= FLOOR and best["native"] / best["nested"] >= MAPPED_FLOOR
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
