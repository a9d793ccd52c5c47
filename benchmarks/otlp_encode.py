"""Encoding points as OTLP requests: CPU milliseconds for a thousand points of four attributes each, compressed.

Prints JSON: the least and the greatest of some rounds, after one that fills the caches. Exits with 1 above 10 ms.
"""

import json
import sys
import time

from mlvitals.signals.registry import REGISTRY
from mlvitals.sinks.otlp.encode import Encoder
from mlvitals.telemetry import MetricPoint, Service
from mlvitals.telemetry.naming.otel import Spelling

POINTS = 1_000
ROUNDS = 20
NAME = "mlvitals.feature.drift.location"


def points(turn: int) -> list[MetricPoint]:
    """Return a window's points: the same series every time, with other values and times."""
    shared = {"model": "bench", "model_version": "1", "comparison": "operating"}
    return [
        MetricPoint(
            name=NAME,
            unit=REGISTRY[NAME].unit,
            value=(index * 7919 + turn) % 1009 / 1009,
            time=(1_800_000_000 + 3_600 * turn) * 1_000_000,
            start=(1_800_000_000 + 3_600 * (turn - 1)) * 1_000_000,
            attributes={**shared, "feature": f"feature_{index}"},
        )
        for index in range(POINTS)
    ]


def main() -> int:
    encoder = Encoder(Service(name="bench", environment="bench"), REGISTRY, Spelling.OTEL, compressed=True)
    spent = []
    for turn in range(ROUNDS + 1):
        window = points(turn)
        began = time.process_time()
        encoder.metrics(window)
        spent.append((time.process_time() - began) * 1e3)
    report = {"points": POINTS, "least, ms": round(min(spent[1:]), 2), "greatest, ms": round(max(spent[1:]), 2)}
    print(json.dumps(report | {"first, ms": round(spent[0], 2)}))
    return int(min(spent[1:]) > 10)


if __name__ == "__main__":
    sys.exit(main())
