"""Kinds, aliases, segments and sensitive features, from files of every format to what is told of them."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
DOMAINS = ("alpha-secret", "beta-secret", "gamma-secret")
FEATURES = {
    "kinds": {"code": "categorical", "hour": "calendar"},
    "aliases": {"mail": "domain", "chan": "channel", "msg": "note"},
    "sensitive": ["domain", "note", "key"],
}
KINDS = {
    "domain": "categorical",
    "channel": "categorical",
    "note": "text",
    "ok": "boolean",
    "key": "identifier",
    "code": "categorical",
    "hour": "calendar",
}


def rows(begin, count, domains):
    """Flat rows, five a minute, named as the events name them."""
    for index in range(count):
        moment = begin + timedelta(seconds=12 * index)
        yield {
            "timestamp": moment.isoformat(),
            "model": "m",
            "model_version": "1",
            "prediction_id": f"{begin:%H}-{index}",
            "features.mail": domains[index % len(domains)],
            "features.chan": ("web", "app")[index % 2],
            "features.msg": f"a secret note, number {index} of some",
            "features.ok": index % 3 == 0,
            "features.key": f"secret{index * 7919:x}",
            "features.code": index % 5,
            "features.hour": moment.hour,
            "prediction.score": (index % 10) / 10,
            "prediction.label": index % 10 // 5,
        }


def write_jsonl(path, flat):
    events = []
    for row in flat:
        event: dict[str, Any] = {}
        for name, value in row.items():
            outer, _, inner = name.partition(".")
            if inner:
                event.setdefault(outer, {})[inner] = value
            else:
                event[outer] = value
        events.append(json.dumps(event))
    path.write_text("\n".join(events) + "\n", encoding="utf-8")


def write_csv(path, flat):
    text = io.StringIO()
    writer = csv.DictWriter(text, flat[0])
    writer.writeheader()
    writer.writerows(flat)
    path.write_text(text.getvalue(), encoding="utf-8")


def write_parquet(path, flat):
    table = pa.table({name: [row[name] for row in flat] for name in flat[0]})
    times = pa.array([datetime.fromisoformat(row["timestamp"]) for row in flat], pa.timestamp("us", "UTC"))
    pq.write_table(table.set_column(0, "timestamp", times), path)


WRITERS = {
    "jsonl": (write_jsonl, "mlvitals"),
    "csv": (write_csv, "csv"),
    "parquet": (write_parquet, "parquet"),
}


@pytest.fixture
def served(world, mlvitals):
    """Return a runner: a reference is built and events are served in one format; what is told, and the reference."""

    def serve(ending):
        write, format_type = WRITERS[ending]
        folder = world.folder / ending
        folder.mkdir()
        config = folder / "mlvitals.yaml"
        source = {"type": "file", "path": f"events.{ending}", "role": "predictions", "format": {"type": format_type}}
        model = {
            "name": "m",
            "operating": {"path": "model.reference"},
            "windows": {"size": "30m"},
            "features": FEATURES,
            "segments": ["channel"],
        }
        sinks = [{"type": "local"}, {"type": "stdout"}]
        document = {"models": [model], "sources": [source], "sinks": sinks, "state": {"path": "state.db"}}
        config.write_text(json.dumps(document), encoding="utf-8")
        write(folder / f"rows.{ending}", list(rows(BEGIN - timedelta(hours=10), 500, DOMAINS[:2])))
        write(folder / f"events.{ending}", list(rows(BEGIN, 300, DOMAINS)))
        reference = folder / "model.reference"
        built = mlvitals("reference", "build", "-c", config, "--data", folder / f"rows.{ending}", "-o", reference)
        assert built.code == 0, built.err
        ran = mlvitals("run", "-c", config, "--once")
        assert ran.code == 0, ran.err
        told = mlvitals("signals", "-c", config, "--format", "jsonl")
        shown = mlvitals("reference", "show", reference)
        return folder, [json.loads(line) for line in told.out.splitlines()], f"{ran.out}\n{told.out}\n{shown.out}"

    return serve


def plain(measurements):
    """Return what is measured, without what depends on the time of the test."""
    return [one for one in measurements if one["signal"] != "mlvitals.event.lag"]


def test_every_format_tells_the_same_of_every_kind(served):
    told = {ending: plain(served(ending)[1]) for ending in WRITERS}
    assert told["jsonl"] == told["csv"] == told["parquet"]
    features = {one["attributes"].get("feature") for one in told["jsonl"]}
    assert set(KINDS) <= features
    assert not {"mail", "chan", "msg"} & features
    segments = {one["attributes"].get("segment") for one in told["jsonl"]}
    assert segments == {None, "channel=app", "channel=web"}


def test_new_values_are_counted_and_only_drifting_kinds_drift(served):
    _, measurements, shown = served("jsonl")
    unseen = {
        one["attributes"]["feature"]: one
        for one in measurements
        if one["signal"] == "mlvitals.feature.unseen.ratio" and "segment" not in one["attributes"]
    }
    assert set(unseen) == {"domain", "channel", "ok", "code"}
    assert unseen["domain"]["value"] == pytest.approx(1 / 3, abs=0.01)
    assert unseen["domain"]["status"] == "warning"
    assert unseen["channel"]["value"] == 0.0
    for name, kind in KINDS.items():
        assert any(name in line and kind in line for line in shown.splitlines()), name


@pytest.mark.parametrize("ending", WRITERS)
def test_no_value_of_a_sensitive_feature_leaves(served, ending):
    folder, measurements, told = served(ending)
    assert any(one["attributes"].get("feature") == "domain" for one in measurements)
    assert "secret" not in told
    for path in folder.glob("state*"):
        assert b"secret" not in path.read_bytes(), path
