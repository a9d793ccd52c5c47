"""What a model says in one declared segment has a detector of its own: it pages where the whole has hardly moved."""

import json

import numpy as np
import pytest

from mlvitals.clock import DAY, format_time, parse_time
from mlvitals.config import load
from mlvitals.setup.reference import build_reference
from mlvitals.windows.reference import write_reference

MONDAY = parse_time("2026-03-02T00:00:00Z")
DAYS, FAULT, ROWS = 40, 24, 600
MOVED = MONDAY + FAULT * DAY
CHANNELS = {"web": 0.55, "shop": 0.37, "app": 0.08}


def events(days, *, moved=(), gone_from=None):
    """Yield predictions; from the fault on those of some channels are higher, and those of `app` may end."""
    random = np.random.default_rng([11, days.start % 100])
    for day in days:
        for row in range(ROWS):
            time, channel = (
                MONDAY + day * DAY + row * DAY // ROWS,
                str(random.choice([*CHANNELS], p=[*CHANNELS.values()])),
            )
            score = float(random.beta(2.0, 5.0))
            if time >= MOVED and channel in moved:
                score = score**0.5
            if channel == "app" and gone_from is not None and day >= gone_from:
                continue
            yield {
                "event": "prediction",
                "timestamp": format_time(time),
                "model": "claims",
                "model_version": "1",
                "prediction_id": f"{day}-{row}",
                "features": {"channel": channel},
                "prediction": {"score": score, "label": int(score > 0.5)},
            }


def lines(some):
    return "".join(json.dumps(one) + "\n" for one in some)


@pytest.fixture
def start(tmp_path, mlvitals):
    """Begin a model with these segments; return what takes its reference, and what runs it and returns its pages."""

    def begin(segments):
        model = {
            "name": "claims",
            "operating": {"path": "claims.reference"},
            "windows": {"size": "1d", "lateness": "1h"},
            "features": {"include": ["channel"]},
            **({"segments": segments} if segments else {}),
        }
        document = {
            "models": [model],
            "sources": [{"type": "file", "path": "events.jsonl"}],
            "sinks": [{"type": "stdout"}, {"type": "local"}],
            "state": {"path": "state.db"},
        }
        path = tmp_path / "mlvitals.yaml"
        path.write_text(json.dumps(document), encoding="utf-8")

        def refer(some):
            (tmp_path / "usual.jsonl").write_text(lines(some), encoding="utf-8")
            (known,) = load(path, {}).models
            built = build_reference(known, version=None, paths=[str(tmp_path / "usual.jsonl")], complete=True)
            write_reference(built.reference, tmp_path / "claims.reference")

        def run(some, *words):
            with (tmp_path / "events.jsonl").open("a", encoding="utf-8") as file:
                file.write(lines(some))
            answer = mlvitals("run", "-c", path, *words)
            assert answer.code == 0, answer.err
            records = [json.loads(line) for line in answer.out.splitlines()]
            return [one for one in records if one.get("event_name", "").startswith("mlvitals.page")]

        return refer, run

    return begin


@pytest.fixture
def told(start):
    """Run over some events with these segments; return what is told of pages."""

    def run_all(segments, **fault):
        refer, run = start(segments)
        refer(events(range(-21, 0)))
        return run(events(range(DAYS), **fault), "--once")

    return run_all


def test_what_moves_in_one_segment_pages_as_that_segment(told):
    (page,) = told(["channel"], moved=["app"])
    body = page["body"]
    assert (body["detector"], body["subject"]) == ("segment", "channel=app")
    assert "segment channel=app of claims" in body["text"]
    assert parse_time(body["onset"]) == pytest.approx(MOVED, abs=DAY)
    assert (parse_time(page["time"]) - MOVED) / DAY <= 7


def test_without_segments_nobody_would_know(told):
    assert told([], moved=["app"]) == []


def test_where_nothing_moves_nobody_is_woken(told):
    assert told(["channel"]) == []


def test_what_moves_everywhere_is_one_page(told):
    pages = told(["channel"], moved=["web", "shop", "app"])
    assert pages[0]["event_name"] == "mlvitals.page"
    assert pages[0]["body"]["detector"] == "prediction"
    assert {one["event_name"] for one in pages[1:]} <= {"mlvitals.page.joined"}
    assert len({one["body"]["episode"] for one in pages}) == 1


def test_a_segment_that_is_served_no_more_ends_its_page(told):
    page, closed = told(["channel"], moved=["app"], gone_from=33)[:2]
    assert (page["event_name"], closed["event_name"]) == ("mlvitals.page", "mlvitals.page.closed")
    assert page["body"]["episode"] == closed["body"]["episode"]


def test_a_reference_that_comes_in_the_midst_of_a_window_stops_nothing(start):
    """Of that day the whole was begun under the old reference, and a channel that came later under the new one."""
    refer, run = start(["channel"])
    refer(events(range(-21, 0)))
    every, noon = [*events(range(DAYS), moved=["app"])], format_time(MONDAY + 18 * DAY + DAY // 2)
    before = [
        one
        for one in every
        if one["timestamp"] < noon
        and (one["timestamp"] < format_time(MONDAY + 18 * DAY) or one["features"]["channel"] != "app")
    ]
    assert run(before, "--until", noon) == []
    coarse = [*events(range(-21, 0))]
    for one in coarse:
        one["prediction"]["score"] = round(one["prediction"]["score"], 1)
    refer(coarse)
    page, *joined = run([one for one in every if one["timestamp"] >= noon], "--once")
    assert page["body"]["detector"] == "prediction"  # which are no round numbers, as those of the new reference are
    assert {one["event_name"] for one in joined} <= {"mlvitals.page.joined"}
