"""Decode JSON Lines to checked columns, against plain pyarrow.json with an explicit schema on the same bytes.

Usage: python benchmarks/json_decode.py [--events 100000] [--rounds 5]

Prints both rates (events per CPU second, the best of some rounds) and their ratio; exits with 1 below 0.6.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.json

from mlvitals.events import RawBatch
from mlvitals.formats import DecodePlan, MlvitalsFormat, Want
from mlvitals.formats.lines import BLOCK_BYTES

NUMERIC = tuple(f"num_{index:02d}" for index in range(20))
CATEGORICAL = {"channel": 3, "country": 40, "merchant": 1_000, "device": 10_000, "postcode": 100_000}
FLOOR = 0.6


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


def read_events(path: Path) -> int:
    """Read the file as the main job does: cut, decode, check, split."""
    wants = dict.fromkeys(NUMERIC, Want.NUMBER) | dict.fromkeys(CATEGORICAL, Want.TEXT)
    reader = MlvitalsFormat().open(DecodePlan(features=wants))
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
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "events.jsonl")
        write_events(path, arguments.events)
        # Turn by turn, so that what else the machine does falls on both.
        turns = [
            (seconds(read_plainly, path, arguments.events), seconds(read_events, path, arguments.events))
            for _ in range(arguments.rounds)
        ]
        plain = arguments.events / min(turn[0] for turn in turns)
        ours = arguments.events / min(turn[1] for turn in turns)
        size = path.stat().st_size / arguments.events
    figures = {
        "events": arguments.events,
        "bytes_per_event": round(size, 1),
        "pyarrow_json_events_per_cpu_second": round(plain),
        "mlvitals_events_per_cpu_second": round(ours),
        "ratio": round(ours / plain, 3),
        "floor": FLOOR,
    }
    print(json.dumps(figures))
    return 0 if ours / plain >= FLOOR else 1


if __name__ == "__main__":
    sys.exit(main())
