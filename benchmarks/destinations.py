"""What each destination adds to a window of a model: CPU to encode it, requests and bytes.

Serves models of thirty features hour by hour, as `benchmarks/models.py` does, and keeps what the engine gives to its
destinations. Each of these then encodes it again, and puts it into an outbox, as in the job within a transaction, in
which nobody else can write. The first hour is told by itself, because no series is known in it; of the others the
least. Nothing is sent. Prints JSON.
"""

import argparse
import gc
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow.parquet as pq
from models import (  # type: ignore[import-not-found]  # beside this one: a script finds its own folder
    CONFIG,
    HOUR,
    START,
    name_of,
    table,
    write_references,
)

from mlvitals.app.pipeline import open_pipeline
from mlvitals.config import load
from mlvitals.contracts.sinks import sink_context
from mlvitals.delivery import Outbox, Request
from mlvitals.sinks import SinkConfig, SinkContext
from mlvitals.sinks.datadog import DatadogSink
from mlvitals.sinks.local import LocalSink
from mlvitals.sinks.opensearch import OpenSearchSink
from mlvitals.sinks.otlp import OtlpSink
from mlvitals.sinks.prometheus import PrometheusSink
from mlvitals.telemetry import LogRecord, MetricPoint
from mlvitals.transport.secret import Secret

NOWHERE = "http://127.0.0.1:9"
SINKS: Sequence[SinkConfig] = (
    LocalSink(),
    OtlpSink(endpoint=NOWHERE),
    DatadogSink(api_key=Secret("nobody's")),
    OpenSearchSink(hosts=(NOWHERE,)),
    PrometheusSink(),
)

Given = tuple[list[MetricPoint], list[LogRecord]]


@dataclass
class Recorder:
    """Stands among the destinations and keeps what they are given."""

    name: str = "recorder"
    routes: tuple[str, ...] = ("metrics", "logs")
    given: list[Given] = field(default_factory=list)

    def encode(self, points: Sequence[MetricPoint], logs: Sequence[LogRecord]) -> list[Request]:
        self.given.append((list(points), list(logs)))
        return []


def serve(folder: Path, models: int, hours: int, export: str) -> list[list[Given]]:
    """Return what destinations are given for each hour, transaction by transaction."""
    named = ", ".join(f"{{name: {name_of(index)}}}" for index in range(models))
    config = CONFIG.replace("MODELS", named) + f"budget: {{export: {export}}}\n"
    (folder / "mlvitals.yaml").write_text(config, encoding="utf-8")
    write_references(folder, models)
    recorder, told = Recorder(), []
    with open_pipeline(load(folder / "mlvitals.yaml", {})) as pipeline:
        pipeline.outgoing = replace(pipeline.outgoing, sinks=[recorder])  # type: ignore[list-item]  # it only encodes
        pipeline.begin()
        for hour in range(hours + 1):
            pq.write_table(table(models, 200, hour, START + hour * HOUR), folder / f"events-{hour:04d}.parquet")
            pipeline.read(complete=True, progress=lambda _: None, stop=lambda: False)
            pipeline.engine.advance_when_all_is_read()
            if hour:  # in the first one nothing ends
                told.append(recorder.given)
            recorder.given = []
    return told


def measured(config: SinkConfig, context: SinkContext, hours: Sequence[Sequence[Given]]) -> dict[str, float]:
    """Return what one destination takes for a transaction, which closes a window of a model."""
    sink, outbox = config.open(context), Outbox(context.store)
    encoding, storing = [], []
    requests: list[Request] = []
    for hour in hours:
        encoded = stored = 0.0
        for points, logs in hour:
            with context.store.transaction():
                began = time.process_time()
                made = sink.encode(points, logs)
                between = time.process_time()
                outbox.enqueue(sink.name, made, 0)
                stored += time.process_time() - between
                encoded += between - began
            requests += made
        encoding.append(1000 * encoded / len(hour))
        storing.append(1000 * stored / len(hour))
    sink.close()
    windows = sum(map(len, hours))
    return {
        "encode, ms": round(min(encoding[1:]), 2),
        "encode for the first time, ms": round(encoding[0], 2),
        "enqueue, ms": round(min(storing), 2),
        "requests": round(len(requests) / windows, 1),
        "items": round(sum(request.items for request in requests) / windows),
        "kilobytes": round(sum(len(request.body) for request in requests) / windows / 1000, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=50)
    parser.add_argument("--hours", type=int, default=4)
    parser.add_argument("--export", choices=["lean", "standard", "full"], default="lean")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hours = serve(folder, options.models, options.hours, options.export)
        gc.freeze()  # what is kept here to be encoded again is no part of the job, and would be searched for garbage
        (folder / "again").mkdir()
        with sink_context(folder / "again") as context:
            each = {config.name: measured(config, context, hours) for config in SINKS}
    print(json.dumps({"model-windows": sum(map(len, hours)), "of a model-window": each}, indent=2))


if __name__ == "__main__":
    main()
