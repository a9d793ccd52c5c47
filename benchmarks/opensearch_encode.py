"""What documents cost: bytes as the engine reads and as they wait, and CPU time, for ten thousand measurements.

python benchmarks/opensearch_encode.py
"""

import time
from typing import Any

from mlvitals.clock import HOUR, SECOND, format_time
from mlvitals.signals.registry import REGISTRY
from mlvitals.sinks.opensearch.documents import Layout
from mlvitals.sinks.opensearch.requests import METRICS, bundle
from mlvitals.sinks.packing import unpack
from mlvitals.telemetry import WINDOW_CLOSED, LogRecord, Service
from mlvitals.telemetry.naming.opensearch import Schema

COUNT = 10_000
END = 1_793_491_200 * SECOND + HOUR


def measurement(number: int) -> dict[str, Any]:
    return {
        "signal": "mlvitals.feature.drift.score",
        "value": number / 7,
        "unit": "{score}",
        "model": "card-fraud",
        "model_version": "2018.06.1",
        "environment": "prod",
        "window_start": format_time(END - HOUR),
        "window_end": format_time(END),
        "attributes": {"feature": f"feature_{number}", "method": "psi", "comparison": "operating"},
        "samples": 1_000,
        "reference_samples": 20_000,
        "lower": number / 8,
        "upper": number / 6,
        "status": "ok",
        "threshold": 0.5,
        "evidence": {"normal": 0.01, "noise": 0.002},
        "revision": 0,
        "reference_hash": "0123456789abcdef0123456789abcdef",
    }


def main() -> None:
    record = LogRecord(
        event_name=WINDOW_CLOSED,
        time=END,
        attributes={"model": "card-fraud", "model_version": "2018.06.1", "environment": "prod"},
        body={"measurements": [measurement(number) for number in range(COUNT)]},
    )
    service = Service(name="fraud-monitoring", environment="prod", tags={"team": "risk"})
    for schema in Schema:
        layout = Layout(service=service, specs=REGISTRY, schema=schema, namespace="prod")
        times = []
        for _ in range(3):
            begin = time.process_time()
            requests = bundle(METRICS, layout.metrics([], [record]))
            times.append(time.process_time() - begin)
        waits = sum(len(request.body) for request in requests)
        size = sum(len(unpack(request.body)) for request in requests)
        spent = min(times) / COUNT * 1e6
        print(f"{schema}: {size / COUNT:.0f} bytes a document, {waits / COUNT:.0f} as it waits, {spent:.1f} µs of CPU")


if __name__ == "__main__":
    main()
