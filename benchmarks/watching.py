"""What it costs to tell of the job and to be asked: 300 models, 2,000 series.

python benchmarks/watching.py
"""

import http.client
import json
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from mlvitals.app.pipeline import open_pipeline
from mlvitals.app.watch import Serving, Watch
from mlvitals.clock import HOUR, SystemClock
from mlvitals.config import Config, load
from mlvitals.engines.model import Progress
from mlvitals.telemetry import MetricPoint

MODELS = 300
SERIES = 2_000
TURNS = 20


def timed(work: Callable[[], object]) -> float:
    took = []
    for _ in range(TURNS):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return sorted(took)[TURNS // 2] * 1000


def configured(folder: Path) -> Config:
    document: dict[str, Any] = {
        "models": [{"name": f"model-{number}", "operating": {"first": "1h"}} for number in range(MODELS)],
        "sources": [{"type": "file", "path": "events*"}],
        "sinks": [{"type": "local"}, {"type": "otlp", "endpoint": "http://127.0.0.1:9"}],
        "state": {"path": "state.db"},
    }
    document["sinks"].append({"type": "prometheus", "listen": "127.0.0.1:0"})
    path = folder / "mlvitals.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    return load(path, {})


def points(now: int) -> list[MetricPoint]:
    return [
        MetricPoint(
            name="mlvitals.feature.missing.ratio",
            unit="1",
            value=0.5,
            time=now,
            start=now - HOUR,
            attributes={"model": "m", "model_version": "7", "environment": "prod", "feature": f"f{number}"},
        )
        for number in range(SERIES)
    ]


def main() -> None:
    now = SystemClock().now()
    with tempfile.TemporaryDirectory() as folder, open_pipeline(configured(Path(folder))) as pipeline:
        watch = Watch.over(pipeline)
        store = pipeline.outgoing.store
        document = msgspec.json.encode(Progress(closed=now // HOUR * HOUR))
        rows = [(f"model-{number}", document) for number in range(MODELS)]
        with store.transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO progress VALUES (?, ?)", rows)
        read = timed(lambda: watch.vitals.gauges.read(store, now))
        told = timed(watch.vitals.tell)
        otlp, sink = pipeline.outgoing.sinks[1], pipeline.outgoing.sinks[2]
        assert isinstance(sink, Serving)
        size = sum(len(request.body) for request in otlp.encode(watch.vitals.latest, []))
        address = urlsplit(sink.serve()).netloc
        pipeline.deliveries.stop()
        for request in sink.encode(points(now), []):
            sink.send(request)

        def scrape() -> None:
            with closing(http.client.HTTPConnection(address, timeout=10)) as connection:
                connection.request("GET", "/metrics")
                assert len(connection.getresponse().read()) > 100 * SERIES

        scraped = timed(scrape)
    print(f"{len(watch.vitals.latest)} points: read in {read:.1f} ms, told in {told:.1f} ms, {size} bytes by OTLP")
    print(f"a scrape of {SERIES} series and these: {scraped:.1f} ms")


if __name__ == "__main__":
    main()
