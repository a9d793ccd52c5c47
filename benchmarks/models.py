"""Three hundred models of thirty features, served hour by hour: CPU per model-window and peak memory of one process.

Writes an hour's Parquet file of all models' predictions, lets a running job read it, close what is due and deliver to
the local sink, and so on for every hour. Before that `mlvitals plan` plans them, in a process of its own. Prints JSON.
CPU is also told as a ratio to a yardstick, a fixed piece of Python, JSON and numpy taken between the hours: a machine
that others use too slows both alike. Exits with 1 where the ratio, the peak memory or what a window takes on disk is
above the bounds below: one and a half times what was measured when they were set.
"""

import argparse
import cProfile
import json
import os
import pstats
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mlvitals.app.pipeline import open_pipeline
from mlvitals.config import load
from mlvitals.windows.choice import Choice
from mlvitals.windows.reference import write_reference
from mlvitals.windows.taking import take_reference
from mlvitals.windows.window import WindowSize

HOUR = 3_600_000_000
START = 20_500 * 24 * HOUR
NUMERIC = 24
CATEGORIES = (2, 3, 5, 10, 50, 200)
YARDSTICKS = 17.0  # CPU of a model-window, all in
MEGABYTES = 600.0
KILOBYTES = 75.0  # measurements of a model-window in the state

CONFIG = """
defaults:
  operating: {path: "references/{model}.reference"}
  deduplicate: false
models: [MODELS]
sources:
  - {type: file, path: "events-*.parquet", role: predictions, format: {type: parquet}}
state: {path: state/state.db}
sinks:
  - {type: local}
"""


def table(models: int, rows: int, seed: int, first: int) -> pa.Table:
    """Return an hour of all models' rows, in time order."""
    random = np.random.default_rng(seed)
    count = models * rows
    names = pa.array([name_of(index) for index in range(models)])
    columns = {
        "timestamp": pa.array(np.sort(first + random.integers(0, HOUR, count))).cast(pa.timestamp("us", tz="UTC")),
        "model": names.take(pa.array(random.permutation(np.repeat(np.arange(models), rows)))),
        "model_version": pa.array(["1"]).take(pa.array(np.zeros(count, dtype=np.int32))),
    }
    for index in range(NUMERIC):
        shapes = (random.normal, lambda size: random.lognormal(0, 0.75, size), random.random)
        values = np.round(shapes[index % 3](size=count), 6)
        columns[f"features.number_{index:02d}"] = pa.array(values, mask=random.random(count) < 0.02)
    for size in CATEGORIES:
        values = pa.array([f"value {code:03d}" for code in range(size)])
        columns[f"features.category_{size}"] = values.take(pa.array((size * random.random(count) ** 2).astype(int)))
    scores = np.round(random.beta(1, 3, count), 6)
    columns["prediction.score"] = pa.array(scores)
    columns["prediction.label"] = pa.array((scores >= 0.5).astype(np.int64))
    columns["latency_ms"] = pa.array(np.round(random.lognormal(2, 0.5, count), 2))
    return pa.table(columns)


def name_of(index: int) -> str:
    return f"model-{index:03d}"


def write_references(folder: Path, models: int) -> None:
    """Take one reference, of four weeks of a model, and write it under every model's name."""
    rows = table(1, 20_000, 900, START - 700 * HOUR).combine_chunks().to_batches()
    one = take_reference(
        Choice(),
        lambda: iter(rows),
        model=name_of(0),
        version="",
        size=WindowSize.parse("1h"),
        complete=True,
        provenance={},
    )
    for index in range(models):
        write_reference(replace(one, model=name_of(index)), folder / "references" / f"{name_of(index)}.reference")


def yardstick() -> None:
    """Do a fixed piece of work of the kind that measuring is: small arrays, small objects, JSON."""
    values = np.arange(24.0)
    for place in range(200):
        total = float(np.cumsum(values * place)[-1])
        document = {"value": total, "attributes": {"feature": f"number_{place:02d}"}, "evidence": values.tolist()}
        json.loads(json.dumps(document))


def work(folder: Path, hours: int, models: int, rows: int) -> dict[str, float]:
    """Serve hour by hour; return the CPU seconds of each stage and the peak memory in MB."""
    seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def timed(stage: str) -> Iterator[None]:
        before = time.process_time()
        yield
        seconds[stage] += time.process_time() - before

    with timed("start"):
        config = load(folder / "mlvitals.yaml", {})
        opening = open_pipeline(config)
        pipeline = opening.__enter__()
    for hour in range(hours):
        pq.write_table(table(models, rows, hour, START + hour * HOUR), folder / f"events-{hour:04d}.parquet")
        with timed("read, decode, count"):
            pipeline.read(complete=True, progress=lambda _: None, stop=lambda: False)
        with timed("close, measure"):
            pipeline.engine.advance_when_all_is_read()
        with timed("idle turn"):
            pipeline.engine.advance_while_running()
        with timed("deliver"):
            pipeline.deliveries.wait(patience=60.0, parting=0.0, stop=lambda: False)
        with timed("yardsticks"):
            for _ in range(50):
                yardstick()
    kilobytes = kept(folder / "state" / "state.db") / 1000
    opening.__exit__(None, None, None)
    if pipeline.problems:
        raise SystemExit(pipeline.problems[0])
    # Not getrusage: its peak is inherited from the process that forked this one.
    peak = next(line for line in Path("/proc/self/status").read_text("ascii").splitlines() if line.startswith("VmHWM"))
    return {**seconds, "memory": int(peak.split()[1]) / 1024, "kept": kilobytes}


def planned(config: Path) -> float:
    """Return the CPU seconds of the command that plans a configuration, its start and its references included."""
    before = os.times()
    words = [sys.executable, "-m", "mlvitals", "plan", "-c", str(config), "--format", "json"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def kept(state: Path) -> int:
    """Return how many bytes of a state hold measurements, their indexes included."""
    query = "SELECT sum(pgsize) FROM dbstat WHERE name LIKE '%measurement%'"
    with closing(sqlite3.connect(state)) as connection:
        (size,) = connection.execute(query).fetchone()
    return int(size)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=300)
    parser.add_argument("--hours", type=int, default=3)
    parser.add_argument("--rows", type=int, default=200, help="predictions of a model in an hour")
    parser.add_argument("--profile", action="store_true", help="print where the time goes")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    sizes = options.hours, options.models, options.rows
    if options.work is not None:
        with cProfile.Profile() if options.profile else _nothing() as profile:
            measured = work(options.work, *sizes)
        if profile is not None:
            pstats.Stats(profile).sort_stats("tottime").print_stats(45)
            pstats.Stats(profile).sort_stats("cumtime").print_stats(70)
        print(json.dumps(measured))
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        named = ", ".join(f"{{name: {name_of(index)}}}" for index in range(options.models))
        (folder / "mlvitals.yaml").write_text(CONFIG.replace("MODELS", named), encoding="utf-8")
        write_references(folder, options.models)
        planning = planned(folder / "mlvitals.yaml")
        words = [sys.executable, __file__, "--work", name, *(["--profile"] if options.profile else [])]
        words += [f"--hours={options.hours}", f"--models={options.models}", f"--rows={options.rows}"]
        done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True)
    lines = done.stdout.splitlines()
    print("\n".join(lines[:-1]))
    measured = json.loads(lines[-1])
    memory, stick = measured.pop("memory"), measured.pop("yardsticks") / (50 * options.hours)
    windows = options.models * max(1, options.hours - 1)  # the last hour's are open still
    kilobytes = measured.pop("kept") / windows
    each = 1000 * sum(seconds for stage, seconds in measured.items() if stage != "start") / windows
    report = {
        "model-windows": windows,
        "CPU milliseconds of a model-window": round(each, 2),
        "yardsticks of a model-window": round(each / 1000 / stick, 2),
        "CPU seconds by stage": {stage: round(seconds, 2) for stage, seconds in measured.items()},
        "CPU seconds of mlvitals plan": round(planning, 1),
        "peak memory, MB": round(memory),
        "kilobytes on disk of a model-window": round(kilobytes, 1),
    }
    print(json.dumps(report, indent=2))
    return 0 if each / 1000 / stick <= YARDSTICKS and memory <= MEGABYTES and kilobytes <= KILOBYTES else 1


@contextmanager
def _nothing() -> Iterator[None]:
    yield None


if __name__ == "__main__":
    sys.exit(main())
