"""Every row of every source is accounted for, whatever is wrong with it; `status` tells how many met which fate."""

import csv
import json
import re
import sqlite3
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlvitals.clock import HOUR, MINUTE, SECOND, SystemClock, format_time

PREDICTION = {
    "event": "prediction",
    "timestamp": "2026-03-01T12:00:30Z",
    "model": "m",
    "model_version": "1",
    "prediction_id": "a",
    "features": {"x": 0.5, "colour": "red"},
    "prediction": {"label": 1, "score": 0.9},
}
LABEL = {
    "event": "label",
    "timestamp": "2026-03-01T12:00:40Z",
    "model": "m",
    "prediction_id": "a",
    "label": 1,
}
FAR = format_time(SystemClock().now() + 25 * HOUR)

# What stands in the file → what becomes of its rows, beside the prediction `a` of 12:00:30 and its label.
BROKEN = {
    "no JSON": (b"{nothing\n", {"row unparseable": 1}),
    "no object": (b"[1, 2]\n", {"row unparseable": 1}),
    "an empty line": (b"\n", {}),
    "no UTF-8": (b'{"event": "\xff"}\n', {"row unparseable": 1}),
    "an unknown kind of event": ({"event": "greeting"}, {"row skipped": 1}),
    "no kind, no prediction and no label": ({"timestamp": "2026-03-01T12:00:00Z"}, {"row unparseable": 1}),
    "no time": ({**PREDICTION, "timestamp": None}, {"row unparseable": 1}),
    "a time that is no text": ({**PREDICTION, "timestamp": 17}, {"row unparseable": 1}),
    "a time without its zone": ({**PREDICTION, "timestamp": "2026-03-01T12:00:30"}, {"row unparseable": 1}),
    "no prediction": ({**PREDICTION, "prediction": None}, {"row unparseable": 1}),
    "a score that is no number": ({**PREDICTION, "prediction": {"score": "high"}}, {"row unparseable": 1}),
    "no prediction id": ({**PREDICTION, "prediction_id": None}, {"row unparseable": 1}),
    "another model": ({**PREDICTION, "model": "n"}, {"prediction n unknown_model": 1}),
    "a label of another model": ({**LABEL, "model": "n"}, {"label n unknown_model": 1}),
    "a time too far ahead": ({**PREDICTION, "prediction_id": "b", "timestamp": FAR}, {"prediction m parked": 1}),
    "a label too far ahead": ({**LABEL, "timestamp": FAR}, {"label m parked": 1}),
    "the same again": (PREDICTION, {"prediction m duplicate": 1}),
    "the same id with another content": ({**PREDICTION, "features": {"x": 9}}, {"prediction m conflict": 1}),
    "the same label again": (LABEL, {"label m duplicate": 1}),
    "a corrected label": ({**LABEL, "label": 0, "timestamp": "2026-03-01T12:00:50Z"}, {"label m accepted": 1}),
    "a label without its prediction": ({**LABEL, "prediction_id": "z"}, {"label m orphan": 1}),
    "a label past the horizon": ({**LABEL, "timestamp": "2026-03-01T12:05:31Z"}, {"label m expired": 1}),
    "a failed request": (
        {**PREDICTION, "prediction_id": "b", "prediction": None, "error": "timeout"},
        {"prediction m accepted": 1},
    ),
    "a row that is both events": (
        {**PREDICTION, "event": None, "prediction_id": "b", "label": 0},
        {"prediction m accepted": 1, "label m accepted": 1},
    ),
    "a change": (
        {"event": "change", "timestamp": "2026-03-01T12:00:00Z", "kind": "deploy", "model": "m", "text": "2"},
        {"change m accepted": 1},
    ),
}
GOOD = Counter({"prediction m accepted": 1, "label m accepted": 1})


def account(world):
    with sqlite3.connect(world.folder / "state" / "state.db") as connection:
        rows = connection.execute("SELECT event, model, disposition, sum(rows) FROM account GROUP BY 1, 2, 3")
        return Counter({" ".join(filter(None, key)): count for *key, count in rows if count})


def told(answer):
    """Return the rows of `status` by disposition."""
    found: Counter[str] = Counter()
    for line in answer.out.splitlines():
        cells = [cell.strip() for cell in line.split("│")[1:-1]]
        if len(cells) == 5 and re.fullmatch(r"[\d,]+", cells[4]):
            found[cells[3]] += int(cells[4].replace(",", ""))
    return found


@pytest.fixture
def alone(world):
    """The world with one source of both kinds, and nothing in it yet."""
    (world.folder / "events.jsonl").unlink()
    (world.folder / "labels.jsonl").unlink()
    world.configure(sources=[{"type": "file", "path": "*-rows.*", "role": "both"}])
    return world


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_row_meets_its_fate_and_keeps_no_other_from_theirs(alone, mlvitals, what):
    content, fates = BROKEN[what]
    line = content if isinstance(content, bytes) else json.dumps(content).encode() + b"\n"
    good = [json.dumps(event).encode() + b"\n" for event in (PREDICTION, LABEL)]
    (alone.folder / "a-rows.jsonl").write_bytes(good[0] + good[1] + line)
    answer = mlvitals("run", "-c", alone.config, "--once")
    assert answer.code == 0, answer.err
    assert account(alone) == GOOD + Counter(fates)
    assert sum(told(mlvitals("status", "-c", alone.config)).values()) == sum((GOOD + Counter(fates)).values())


def test_the_reason_is_told_with_its_place_and_without_its_content(alone, mlvitals):
    (alone.folder / "a-rows.jsonl").write_bytes(b'{"secret": "4111-1111"\n' + json.dumps(PREDICTION).encode() + b"\n")
    mlvitals("run", "-c", alone.config, "--once")
    out = mlvitals("status", "-c", alone.config).out
    assert f"{alone.folder / 'a-rows.jsonl'}:1: " in out
    assert "4111" not in out


def test_every_row_of_every_format_is_accounted_for(world, mlvitals, make):
    events = make.predictions(300, make.noon)
    labels = make.labels_of(events)
    world.write("events.jsonl", [*events[:100], *make.predictions(7, make.noon, model="n"), events[3], {"event": "?"}])
    with (world.folder / "events.jsonl").open("ab") as file:
        file.write(b"{broken\n" * 5)
    table = flat(events[100:200])
    table["prediction_id"][:4] = [None] * 4  # unreadable without an id
    columns = {name: pa.array(values) for name, values in table.items()}
    columns["timestamp"] = columns["timestamp"].cast(pa.timestamp("us", "UTC"))
    pq.write_table(pa.table(columns), world.folder / "events.parquet")
    with (world.folder / "events.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        table = flat(events[200:])
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
        file.write("2026-03-01T12:00:00Z,m\n" * 6)  # too few cells
    world.write("labels.jsonl", [*labels, *labels[:11], *make.labels_of(make.predictions(9, make.noon, seed=5))])
    world.configure(
        sources=[
            {"type": "file", "path": "events.jsonl", "role": "predictions"},
            {"type": "file", "path": "events.parquet", "role": "predictions", "format": {"type": "parquet"}},
            {"type": "file", "path": "events.csv", "role": "predictions", "format": {"type": "csv"}},
            {"type": "file", "path": "labels.jsonl", "role": "labels"},
        ]
    )
    ran = mlvitals("run", "-c", world.config, "--once")
    assert ran.code == 0, ran.err
    rows = 100 + 7 + 1 + 1 + 5 + 100 + 100 + 6 + 300 + 11 + 9
    assert f"{rows} rows read" in ran.err
    fates = {"accepted": 296 + 296, "unparseable": 5 + 4 + 6, "skipped": 1, "unknown_model": 7, "duplicate": 12}
    fates["orphan"] = 9 + 4
    assert told(mlvitals("status", "-c", world.config)) == Counter(fates)
    assert sum(fates.values()) == rows


def flat(events):
    columns = {
        name: [event[name] for event in events] for name in ("timestamp", "model", "model_version", "prediction_id")
    }
    for outer in ("features", "prediction"):
        columns |= {f"{outer}.{name}": [event[outer][name] for event in events] for name in events[0][outer]}
    return columns


def test_what_is_late_is_counted_and_its_label_is_no_orphan(world, mlvitals, make):
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    late = make.predictions(5, make.noon + MINUTE, seed=9)
    world.write("events-late.jsonl", late)
    world.write("labels-late.jsonl", make.labels_of(late))
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    found = account(world)
    assert (found["prediction m accepted"], found["prediction m late"]) == (600, 5)
    assert (found["label m accepted"], found["label m orphan"]) == (605, 0)


def test_rows_after_until_are_held_and_counted_once(world, mlvitals, make):
    middle = format_time(make.noon + 5 * MINUTE)
    assert mlvitals("run", "-c", world.config, "--until", middle).code == 0
    held = told(mlvitals("status", "-c", world.config))
    assert held == Counter(accepted=300 + 280, held=300 + 320)
    assert mlvitals("run", "-c", world.config, "--until", format_time(make.noon + HOUR)).code == 0
    assert told(mlvitals("status", "-c", world.config)) == Counter(accepted=1200)
    back = mlvitals("run", "-c", world.config, "--until", middle)
    assert back == (3, "", "mlvitals: `--until` must not go back behind an earlier run of the same state\n")


def test_until_in_one_step_or_in_ten_measures_the_same(world, mlvitals, make):
    ends = []
    for steps in (1, 10):
        world.configure(state={"path": f"steps-{steps}/state.db"})
        for step in range(1, steps + 1):
            until = format_time(make.noon + 20 * MINUTE * step // steps + 17 * SECOND * (step < steps))
            assert mlvitals("run", "-c", world.config, "--until", until).code == 0
        ends.append(mlvitals("signals", "-c", world.config, "--format", "jsonl").out)
    assert ends[0] == ends[1]
    assert len(ends[0].splitlines()) > 100
