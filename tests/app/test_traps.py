"""What has fooled other monitors on real events: collapsed bins, constants that come alive, windows of a few rows."""

import gzip
import json
import random
from itertools import islice

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

PSI = {"signal": "mlvitals.feature.drift.score", "method": "psi", "comparison": "operating"}
LOCATION = {"signal": "mlvitals.feature.drift.location", "comparison": "operating"}


@pytest.mark.shared
def test_a_zero_inflated_feature_that_falls_wholly_to_zero_is_seen(real, shared_data, tmp_path):
    # A feature store loses the terminals' risk for some days of the week from 16 July 2018.
    folder = shared_data / "fraud"
    with gzip.open(folder / "events_planted.jsonl.gz") as lines:
        planted = {json.loads(line)["prediction_id"]: line for line in lines}
    merged = tmp_path / "events.jsonl.gz"
    with gzip.open(folder / "events.jsonl.gz") as lines, gzip.open(merged, "wb", compresslevel=1) as target:
        target.writelines(planted.get(json.loads(line)["prediction_id"], line) for line in lines)
    plain, broken = real("fraud", "1w"), real("fraud", "1w", events=merged)
    week, before = "2018-07-16T00:00:00Z", "2018-07-09T00:00:00Z"
    for kind in (PSI, LOCATION):
        seen, was = (ran.series(**kind, feature="terminal_risk_30d") for ran in (broken, plain))
        assert abs(seen[week].value) > 5 * seen[week].evidence["noise"], kind
        assert abs(seen[week].value) > 3 * abs(was[week].value), kind
        assert was[week].status == seen[before].status == "ok", kind
        assert seen[before] == was[before], kind
    # What adds most to the index is a bin of positive risks that the rows have left.
    emptied = broken.series(**PSI, feature="terminal_risk_30d")[week].evidence
    assert emptied["share"] < emptied["reference_share"]


@pytest.mark.shared
@pytest.mark.parametrize("feature", ["vicprice", "vicdemand", "transfer"])
def test_a_constant_of_the_reference_reads_nothing_until_it_comes_alive(real, feature):
    # Victoria joined the market in the week of 5 May 1997: its three columns are constant before.
    ran = real("elec2", "1w")
    alive = "1997-05-05T00:00:00Z"
    for kind in (LOCATION, {**PSI, "method": "ks"}):
        series = ran.series(**kind, feature=feature)
        assert {one.value for start, one in series.items() if start < alive} == {0.0}, kind
    psi = ran.series(**PSI, feature=feature)
    # One cell on both sides: there is nothing that could differ, and no bias either.
    assert {one.value for start, one in psi.items() if start < alive} == {0.0}
    assert all(one.value > 1 for start, one in psi.items() if start > alive)
    assert all(one.status == "warning" for start, one in psi.items() if start > alive)


@pytest.mark.shared
def test_windows_of_a_few_rows_tell_their_value_and_withhold_the_verdict(real, shared_data, tmp_path):
    beginning = tmp_path / "events.jsonl.gz"
    with (
        gzip.open(shared_data / "chicago_taxi" / "events.jsonl.gz") as lines,
        gzip.open(beginning, "wb", compresslevel=1) as target,
    ):
        target.writelines(islice(lines, 2_000))
    ran = real("chicago_taxi", "1d", events=beginning)
    effects = [one for one in ran.measurements if not one.signal.endswith(".evidence")]  # evidence is of many windows
    drift = [one for one in effects if one.signal.startswith("mlvitals.feature.drift.")]
    assert min(one.samples for one in drift) < 20
    assert all(one.value is not None for one in drift)
    assert {one.status for one in drift if one.samples < 100} == {"insufficient_data"}
    served = ran.series("mlvitals.prediction.count")
    assert max(one.value for one in served.values()) < 100


def test_a_feature_that_the_reference_never_had_is_seen_when_it_comes_alive(configure, run, tmp_path):
    draw = random.Random(7)
    times = [
        f"2026-03-0{day}T{hour:02}:{minute:02}:00Z"
        for day in (1, 2)
        for hour in range(24)
        for minute in range(0, 60, 6)
    ]
    events = [
        {
            "event": "prediction",
            "timestamp": time,
            "model": "m",
            "prediction_id": f"p{index}",
            "features": {"known": draw.random(), "silent": draw.random() if time >= "2026-03-02" else None},
            "prediction": {"value": draw.random()},
        }
        for index, time in enumerate(times)
    ]
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    rows = 500
    columns = {
        "timestamp": pa.array([0] * rows, pa.timestamp("us", "UTC")),
        "features.known": [draw.random() for _ in range(rows)],
        "features.silent": pa.nulls(rows, pa.float64()),
        "prediction.value": [draw.random() for _ in range(rows)],
    }
    pq.write_table(pa.table(columns), tmp_path / "r.parquet")
    model = {"name": "m", "windows": {"size": "1d"}, "features": {"kinds": {"silent": "numeric"}}}
    ran = run(configure(tmp_path, model, [{"path": "events.jsonl"}]), tmp_path / "r.parquet")
    silent, alive = ran.series(**PSI, feature="silent").values()
    assert (silent.value, silent.status) == (0.0, "ok")
    assert alive.value > 1
    assert alive.status == "warning"
    missing = ran.series("mlvitals.feature.missing.ratio", feature="silent")
    assert [one.value for one in missing.values()] == [1.0, 0.0]
