"""`mlvitals status`: what is shown beside the tables: changes that were announced, and silences."""

import json

import pytest

from mlvitals.cli.status import CHANGES_SHOWN
from mlvitals.clock import MINUTE, SECOND


@pytest.fixture
def lines(world, mlvitals):
    """Run over events up to a time, with windows of a minute; return the lines of the status."""
    (world.folder / "events.jsonl").unlink()
    (world.folder / "labels.jsonl").unlink()
    world.configure(sources=[{"type": "file", "path": "*-rows.jsonl", "role": "both"}])

    def run(events, until):
        text = "".join(json.dumps(event) + "\n" for event in events)
        (world.folder / "a-rows.jsonl").write_text(text, encoding="utf-8")
        answer = mlvitals("run", "-c", world.config, "--until", until)
        assert answer.code == 0, answer.err
        return mlvitals("status", "-c", world.config).out.splitlines()

    return run


def change(hour, text, **more):
    return {"event": "change", "timestamp": f"2026-03-02T{hour:02}:00:00Z", "kind": "deploy", "text": text} | more


def test_the_last_changes_are_shown_newest_first(lines):
    events = [change(hour, f"release\n{hour}", model="m") for hour in range(7)]
    shown = [line.strip() for line in lines(events, "2026-03-03T00:00:00Z") if "change at" in line]
    assert shown == [f"m: change at 2026-03-02T{hour:02}:00:00Z: deploy release {hour}" for hour in range(6, 1, -1)]
    assert len(shown) == CHANGES_SHOWN


def test_a_silence_is_shown_with_what_is_not_told_one_by_one(lines):
    features = {"x": 1.0, "c": "a"}
    served = [
        {
            "event": "prediction",
            "timestamp": f"2026-03-{day:02}T00:00:00Z",
            "model": "m",
            "model_version": "1",
            "prediction_id": f"p{day}",
            "features": features,
            "prediction": {"label": "1", "score": 0.7},
        }
        for day in (2, 12)
    ]
    shown = [line.strip() for line in lines(served, "2026-03-12T00:05:00Z") if "empty" in line]
    last = "the last of them from 2026-03-12T00:04:00Z"
    assert shown == [
        f"m: nothing was served in the last windows: 4 were told to be empty, {last}",
        f"m: {10 * 1_440 - 1 - 168:,} further empty windows of long silences were not told one by one",
    ]


def serve_what_moved(world, make, mlvitals, names):
    """Run over ten minutes in which each feature moved: the first by 2.4 standard deviations, the next by 2 …"""

    def with_features(events, shift):
        for event in events:
            x = event["features"]["x"]
            event["features"] = {name: x + shift * (2.4 - 0.4 * place) for place, name in enumerate(names)}
        return events

    rows = world.folder / "rows.jsonl"
    rows.write_bytes(make.lines(with_features(make.predictions(500, make.noon - 600 * MINUTE, seed=1), 0)))
    built = mlvitals("reference", "build", "-c", world.config, "--data", rows, "-o", world.folder / "model.reference")
    assert built.code == 0, built.err
    world.write("events.jsonl", with_features(make.predictions(2_400, make.noon, step=SECOND // 4), 1))
    answer = mlvitals("run", "-c", world.config, "--once")
    assert answer.code == 0, answer.err


def gravest(shown):
    """Return the rows of the table of what warns most, as lists of cells."""
    _, found, table = shown.partition("what warns most now")
    assert found
    lines = table.split("└")[0].splitlines()
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if line.startswith("│")]


def test_the_three_things_that_moved_furthest_are_named_with_value_and_threshold(world, make, mlvitals):
    serve_what_moved(world, make, mlvitals, ["d", "c", "b", "a"])
    rows = gravest(mlvitals("status", "-c", world.config).out)
    assert [(model, of.split()[0]) for model, _, of, _, _ in rows] == [
        ("m", "feature=d"),
        ("m", "feature=c"),
        ("m", "feature=b"),
    ]
    kept = mlvitals("signals", "-c", world.config, "--status", "warning").out.splitlines()
    heads, *series = [line.split("\t") for line in kept]
    told = {
        (row["signal"], frozenset(row["attributes"].split())): (row["value"], row["warns from"])
        for row in (dict(zip(heads, one, strict=True)) for one in series)
    }
    for _, signal, of, value, threshold in rows:
        assert told[signal, frozenset(of.split())] == (value, threshold)
        assert float(value) > float(threshold)


def test_where_nothing_warns_nothing_is_named(world, mlvitals):
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    assert "what warns most" not in mlvitals("status", "-c", world.config).out


def test_what_warned_in_an_earlier_window_warns_no_more(world, make, mlvitals):
    serve_what_moved(world, make, mlvitals, ["x"])
    later = [
        event | {"prediction_id": f"later-{place}"}
        for place, event in enumerate(make.predictions(2_400, make.noon + 10 * MINUTE, step=SECOND // 4, seed=2))
    ]
    world.write("events-later.jsonl", [event | {"features": {"x": event["features"]["x"]}} for event in later])
    assert mlvitals("run", "-c", world.config, "--once").code == 0
    assert "what warns most" not in mlvitals("status", "-c", world.config).out


def test_the_names_of_what_warns_are_text(world, make, mlvitals):
    serve_what_moved(world, make, mlvitals, ["[/red]x\x1b[2J"])
    ((_, _, of, _, _),) = gravest(mlvitals("status", "-c", world.config).out)
    assert "feature=[/red]x\\u001b[2J" in of


def test_names_are_text_whatever_they_hold(mlvitals, tmp_path):
    hostile = "[/b] [red]m\x1b[2J\u202e"
    served = [
        {
            "event": "prediction",
            "timestamp": f"2026-03-01T00:{minute:02}:00Z",
            "model": hostile,
            "features": {"[/i]x": minute, "c": "[/u]"},
            "prediction": {"score": minute / 60},
        }
        for minute in range(60)
    ]
    events, reference = tmp_path / "events.jsonl", tmp_path / "r.reference"
    events.write_text("".join(json.dumps(one) + "\n" for one in served), encoding="utf-8")
    config = tmp_path / "mlvitals.yaml"
    config.write_text(
        f"models: [{{name: {json.dumps(hostile)}, operating: {{path: r.reference}}}}]\n"
        "sources: [{type: file, path: events.jsonl}]\n",
        encoding="utf-8",
    )
    for words in (
        ("reference", "build", "-c", config, "--data", events, "-o", reference),
        ("reference", "show", reference),
        ("reference", "diff", reference, reference),
        ("run", "-c", config, "--once"),
        ("signals", "-c", config),
        ("status", "-c", config),
    ):
        answer = mlvitals(*words)
        assert answer.code == 0, answer.err
        assert not {"\x1b", "\u202e"} & set(answer.out)
    assert "[/b] [red]m\\u001b[2J\\u202e" in answer.out
