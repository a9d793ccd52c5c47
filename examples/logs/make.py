"""Write the sample logs of this folder anew: drawn by a seed, in the forms in which services really log."""  # noqa: INP001  # a script

import csv
import json
import math
import random
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
START = datetime(2026, 3, 2, 8, tzinfo=UTC)
ROWS = 240


def main() -> None:
    """Write every file."""
    draw = random.Random(7)  # noqa: S311  # samples, not secrets
    for write in (_fastapi, _ecs, _nginx, _mlserver, _export, _bentoml):
        write(draw)


def _times(draw: random.Random, minutes: float) -> list[datetime]:
    time, times = START, []
    for _ in range(ROWS):
        time += timedelta(minutes=draw.expovariate(1 / minutes))
        times.append(time)
    return times


def _id(draw: random.Random) -> str:
    return str(uuid.UUID(int=draw.getrandbits(128), version=4))


def _iso(time: datetime, digits: str = "milliseconds") -> str:
    return time.isoformat(timespec=digits).replace("+00:00", "Z")


def _lines(name: str, rows: Iterable[dict[str, Any]]) -> None:
    text = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    (FOLDER / name).write_text(text, encoding="utf-8")


def _fastapi(draw: random.Random) -> None:
    """Write structlog lines, inference among access and health checks, and what came out in a file of its own."""
    rows: list[dict[str, Any]] = []
    outcomes = []
    for time in _times(draw, 30):
        request = {"id": _id(draw), "path": "/v1/score", "method": "POST"}
        amount, new = round(draw.lognormvariate(3, 1), 2), draw.random() < 0.2
        probability = round(1 / (1 + math.exp(3 - amount / 40 - 2 * new)), 4)
        common = {"timestamp": _iso(time, "microseconds"), "level": "info", "service": "scoring-api"}
        rows += [
            {
                **common,
                "event": "prediction_served",
                "logger": "app.inference",
                "request": request,
                "model": {"name": "payment-fraud", "version": "4.2.0"},
                "features": {
                    "amount": amount,
                    "channel": draw.choice(["web", "ios", "android"]),
                    "customer": f"c-{draw.randrange(10**9):09}",
                    "age_days": draw.randrange(3000),
                    "new_device": new,
                    "basket": {"items": draw.randrange(1, 9), "gift": draw.random() < 0.1},
                },
                "prediction": {"probability": probability, "decision": "fraud" if probability > 0.5 else "genuine"},
                "duration_ms": round(draw.gammavariate(4, 3), 3),
            },
            {
                **common,
                "timestamp": _iso(time + timedelta(milliseconds=2), "microseconds"),
                "event": "request_finished",
                "logger": "app.access",
                "request": request,
                "status": 200,
                "duration_ms": round(draw.gammavariate(4, 4), 3),
            },
        ]
        if draw.random() < 0.3:
            probe = {"id": _id(draw), "path": "/healthz", "method": "GET"}
            rows.append(
                {**common, "event": "request_finished", "logger": "app.access", "request": probe, "status": 204}
            )
        if draw.random() < 0.8:
            told = time + timedelta(hours=draw.gammavariate(3, 20))
            outcome = "fraud" if draw.random() < probability else "genuine"
            outcomes.append({"reported_at": _iso(told), "request_id": request["id"], "outcome": outcome})
    _lines("fastapi.jsonl", rows)
    _lines("fastapi-outcomes.jsonl", sorted(outcomes, key=lambda one: str(one["reported_at"])))


def _ecs(draw: random.Random) -> None:
    """Write Java's ECS lines, whose `message` is text or, for a prediction, JSON."""
    rows: list[dict[str, Any]] = []
    for number, time in enumerate(_times(draw, 15)):
        rooms, area = draw.randrange(1, 7), round(draw.gauss(90, 25), 1)
        said = {
            "kind": "inference",
            "traceId": _id(draw),
            "modelName": "rent",
            "modelVersion": 12,
            "input": {"rooms": rooms, "area": area, "district": draw.choice(["north", "south", "old-town"])},
            "output": {"estimate": round(300 + 12 * area + 90 * rooms + draw.gauss(0, 40), 2)},
            "elapsedMillis": draw.randrange(2, 30),
        }
        common = {
            "@timestamp": _iso(time),
            "log.level": "INFO",
            "ecs.version": "1.2.0",
            "service.name": "rent-service",
            "process.thread.name": f"http-nio-8080-exec-{draw.randrange(1, 9)}",
        }
        rows.append({**common, "log.logger": "com.acme.rent.InferenceLog", "message": json.dumps(said)})
        if number % 7 == 0:
            text = f"Refreshed {draw.randrange(9)} of 12 district tables"
            rows.append({**common, "log.logger": "com.acme.rent.Districts", "message": text})
    _lines("ecs.jsonl", rows)


def _nginx(draw: random.Random) -> None:
    """Write an access log in nginx's `escape=json`: the bodies are text, times and durations in seconds."""
    rows: list[dict[str, Any]] = []
    for time in _times(draw, 10):
        widths = [round(draw.gauss(3, 1), 1) for _ in range(2)]
        drawn = [math.exp(draw.gauss(width, 1)) for width in (*widths, 3)]
        shares = {name: round(one / sum(drawn), 4) for name, one in zip(("fir", "oak", "yew"), drawn, strict=True)}
        body = {"features": {"leaf_width": widths[0], "leaf_length": widths[1], "site": draw.randrange(4)}}
        answer = {"class": max(shares, key=lambda name: shares[name]), "probabilities": shares}
        common = {
            "remote_addr": "10.0.0.7",
            "msec": round(time.timestamp(), 3),
            "request_id": _id(draw).replace("-", ""),
        }
        rows.append(
            {
                **common,
                "method": "POST",
                "uri": "/models/tree/predict",
                "status": 200,
                "request_time": round(draw.gammavariate(3, 0.004), 3),
                "request_body": json.dumps(body),
                "response_body": json.dumps(answer),
            }
        )
        if draw.random() < 0.5:
            probe = {"method": "GET", "uri": "/health", "status": 200, "request_time": 0.0}
            rows.append(
                {**common, **probe, "request_id": _id(draw).replace("-", ""), "request_body": "", "response_body": "ok"}
            )
    _lines("nginx.jsonl", rows)


def _mlserver(draw: random.Random) -> None:
    """Write calls of the open inference protocol (V2): tensors, several rows in one call."""
    rows = []
    for time in _times(draw, 20):
        size = draw.randrange(1, 4)
        ages, loads = [draw.randrange(18, 90) for _ in range(size)], [round(draw.random(), 3) for _ in range(size)]
        shares = [round(1 / (1 + math.exp(3 - age / 30 - load)), 4) for age, load in zip(ages, loads, strict=True)]
        call = _id(draw)
        tensors = [("age", "INT64", ages), ("load", "FP64", loads)]
        inputs = [{"name": name, "shape": [size, 1], "datatype": kind, "data": data} for name, kind, data in tensors]
        output = {"name": "risk_probability", "shape": [size, 1], "datatype": "FP64", "data": shares}
        answer = {"model_name": "triage", "model_version": "v3", "id": call, "outputs": [output]}
        rows.append({"time": _iso(time), "request": {"id": call, "inputs": inputs}, "response": answer})
    _lines("mlserver.jsonl", rows)


def _export(draw: random.Random) -> None:
    """Write what a team exports from its warehouse: times without a zone, the truth beside the prediction."""
    with (FOLDER / "export.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(
            [
                "created_at",
                "order_id",
                "model_version",
                "weight_kg",
                "carrier",
                "postcode",
                "predicted_days",
                "actual_days",
            ]
        )
        for number, time in enumerate(_times(draw, 45)):
            weight = round(draw.lognormvariate(1, 0.7), 2)
            days = round(1.5 + weight / 8, 2)
            actual = round(days + draw.gauss(0, 0.6), 2) if draw.random() < 0.9 else ""
            place = f"{1000 + 37 * draw.randrange(40):05}"
            text = time.replace(tzinfo=None).isoformat(sep=" ", timespec="seconds")
            table.writerow(
                [
                    text,
                    f"A{100000 + number}",
                    "2026-02",
                    weight,
                    draw.choice(["post", "bike", "van"]),
                    place,
                    days,
                    actual,
                ]
            )


def _bentoml(draw: random.Random) -> None:
    """Write BentoML's monitoring data: flat, local times without a zone."""
    rows = []
    for time in _times(draw, 5):
        length, width = round(draw.gauss(5.8, 0.8), 1), round(draw.gauss(3, 0.4), 1)
        kind = 0 if length < 5.3 else 1 if length < 6.3 else 2
        rows.append(
            {
                "sepal length": length,
                "sepal width": width,
                "pred": kind,
                "timestamp": time.replace(tzinfo=None).isoformat(timespec="microseconds"),
                "request_id": str(draw.getrandbits(63)),
                "trace_id": str(draw.getrandbits(127)),
            }
        )
    _lines("bentoml.jsonl", rows)


if __name__ == "__main__":
    main()
