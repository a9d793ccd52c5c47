"""Parquet: any writer's types, only the wanted columns, and a position between any two batches."""

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlvitals.errors import InputError
from mlvitals.formats import DecodePlan, ParquetFormat, Want
from mlvitals.formats.parquet import Parquet

COUNT = 1000


@pytest.fixture
def table():
    times = pa.array(np.arange(COUNT) * 1_000_000).cast(pa.timestamp("us", tz="UTC"))
    return pa.table(
        {
            "timestamp": times,
            "model": ["m"] * COUNT,
            "prediction_id": [f"p{index}" for index in range(COUNT)],
            "features.a": np.arange(COUNT),
            "features.b": ["x", "y"] * (COUNT // 2),
            "prediction.score": np.linspace(0, 1, COUNT),
        }
    )


@pytest.fixture
def written(tmp_path, table):
    path = tmp_path / "events.parquet"
    pq.write_table(table, path, row_group_size=130)
    return path


def replace(table: pa.Table, name: str, array: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, array)


def test_reading_on_from_any_cut_cuts_alike(written):
    reader = Parquet(DecodePlan(), rows=100)

    def cuts(offset):
        with written.open("rb") as stream:
            return [
                (cut.offset, cut.first_line, cut.data) for cut in reader.cut(stream, written, offset, complete=True)
            ]

    whole = cuts(0)
    assert whole[-1][0] == COUNT
    assert sum(batch.num_rows for _, _, batch in whole) == COUNT
    for index, (offset, _, _) in enumerate(whole):
        rest = cuts(offset)
        assert [one[:2] for one in rest] == [one[:2] for one in whole[index + 1 :]]
        assert all(
            one[2].to_pylist() == other[2].to_pylist() for one, other in zip(rest, whole[index + 1 :], strict=True)
        )


def test_only_what_the_plan_wants_is_read(written):
    plan = DecodePlan(features={"a": Want.NUMBER}, ids=False)
    with written.open("rb") as stream:
        cut = next(Parquet(plan).cut(stream, written, 0, complete=True))
    assert isinstance(cut.data, pa.RecordBatch)
    assert cut.data.schema.names == ["timestamp", "model", "features.a", "prediction.score"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_timestamps_of_any_unit_and_zone_are_read(tmp_path, table, decode_file, unit, zone):
    moments = pa.array([-1, 0, 1] + [7] * (COUNT - 3)).cast(pa.timestamp(unit, tz=zone))
    path = tmp_path / "events.parquet"
    pq.write_table(replace(table, "timestamp", moments), path)
    said = decode_file(ParquetFormat(zone="UTC").open(DecodePlan()), path)
    step = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 0}[unit]
    before = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) - dt.timedelta(microseconds=step or 1)
    assert said.predictions[0]["timestamp"] == before.isoformat()
    assert said.predictions[1]["timestamp"] == "1970-01-01T00:00:00+00:00"
    refused = decode_file(ParquetFormat().open(DecodePlan()), path)
    assert refused.dispositions["unparseable"] == (COUNT if zone is None else 0)


@pytest.mark.parametrize("unit", ["ms", "us"])
def test_times_beyond_the_calendar_are_unparseable(tmp_path, table, decode_file, unit):
    moments = pa.array([2**62, -(2**62)] + [0] * (COUNT - 2)).cast(pa.timestamp(unit, tz="UTC"))
    path = tmp_path / "events.parquet"
    pq.write_table(replace(table, "timestamp", moments), path)
    assert decode_file(Parquet(DecodePlan()), path).dispositions == {"parsed": COUNT - 2, "unparseable": 2}


def test_nested_columns_are_flattened(tmp_path, decode_file):
    path = tmp_path / "events.parquet"
    nested = {
        "timestamp": ["2026-03-01T00:00:00Z"],
        "model": ["m"],
        "prediction_id": [3],
        "features": [{"a": 1, "b": {"c.d": "x"}}],
        "prediction": [{"label": "1"}],
    }
    pq.write_table(pa.table(nested), path)
    (row,) = decode_file(Parquet(DecodePlan()), path).predictions
    assert row["prediction_id"] == "3"
    assert (row["features.a"], row[r"features.b.c\.d"], row["prediction.label"]) == ("1", "x", "1")


def test_columns_of_impossible_types_are_counted_by_row(tmp_path, table, decode_file):
    path = tmp_path / "events.parquet"
    for name in ("prediction.score", "timestamp"):
        pq.write_table(replace(table, name, pa.array([[1]] * COUNT)), path)
        assert decode_file(Parquet(DecodePlan()), path).dispositions["unparseable"] == COUNT


def test_a_file_that_is_not_finished_or_not_ours_is_an_input_error(tmp_path, written):
    short = tmp_path / "short.parquet"
    short.write_bytes(written.read_bytes()[:-10])
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"Churn": [1]}), other)
    for path, message in ((short, "cannot be read as Parquet"), (other, "holds no column of a native event")):
        with path.open("rb") as stream, pytest.raises(InputError, match=message):
            list(Parquet(DecodePlan()).cut(stream, path, 0, complete=False))


@pytest.mark.shared
@pytest.mark.parametrize("name", ["elec2", "kc_house", "fraud", "chicago_taxi"])
def test_the_real_references_are_read_with_their_labels(shared_data: Path, decode_file, name):
    path = shared_data / name / "reference.parquet"
    said = decode_file(Parquet(DecodePlan(ids=False, model="x")), path)
    assert len(said.predictions) == pq.ParquetFile(path).metadata.num_rows
    assert all("label" in row for row in said.predictions)
    assert said.labels == []
