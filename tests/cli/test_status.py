"""`mlvitals status`: what is shown beside the tables: changes that were announced, and silences."""

import json

import pytest

from mlvitals.cli.status import CHANGES_SHOWN


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
