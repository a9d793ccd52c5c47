"""Parquet and CSV by a mapping say what the same log says as JSON Lines, and only what is needed is read."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlvitals.errors import InputError
from mlvitals.formats import CsvFormat, DecodePlan, JsonFormat, ParquetFormat, Want

FLAT = {
    "where": {"kind": "score"},
    "map": {"timestamp": "at", "prediction_id": "id", "features.*": "*", "prediction.score": "p", "latency_ms": "took"},
    "units": {"timestamp": "s", "latency_ms": "s"},
    "failed": {"status": ">=400"},
    "constants": {"model": "m"},
}
FORMATS: dict[str, Any] = {"json": JsonFormat, "parquet": ParquetFormat, "csv": CsvFormat}
ROWS = st.lists(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["score", "score", "other"]), "at": st.integers(0, 2**31)},
        optional={
            "id": st.sampled_from(["a", "b", "7"]),
            "p": st.floats(0, 1),
            "took": st.floats(0, 1),
            "status": st.sampled_from([200, 503]),
            "age": st.floats(-9, 9),
            "plan": st.sampled_from(["x", "ü", "a,b"]),
        },
    ),
    min_size=1,
    max_size=8,
)
TYPES = {"kind": "string", "at": "int64", "id": "string", "p": "float64", "took": "float64", "status": "int64"}
TYPES |= {"age": "float64", "plan": "string"}


def opened(kind, mapping, plan):
    return msgspec.convert({"type": kind, **mapping}, FORMATS[kind]).open(plan)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, known=st.booleans())
def test_the_same_log_says_the_same_in_every_format(decode_file, tmp_path, rows, known):
    plan = DecodePlan(features={"age": Want.NUMBER, "plan": Want.TEXT}) if known else DecodePlan()
    arrays = {name: pa.array([row.get(name) for row in rows], kind) for name, kind in TYPES.items()}
    table = pa.table(arrays)
    (tmp_path / "log.json").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    pq.write_table(table, tmp_path / "log.parquet")
    pyarrow.csv.write_csv(table, tmp_path / "log.csv")
    said = decode_file(opened("json", FLAT, plan), tmp_path / "log.json")
    assert decode_file(opened("parquet", FLAT, plan), tmp_path / "log.parquet") == said
    assert decode_file(opened("csv", FLAT, plan), tmp_path / "log.csv") == said


def test_an_inference_table_in_parquet_has_texts_maps_and_times_of_its_own(decode_file, tmp_path):
    columns = {
        "request_time": pa.array([datetime(2026, 3, 1, tzinfo=UTC)] * 3, pa.timestamp("ns", "UTC")),
        "id": pa.array(["a", "b", "c"], pa.large_string()),
        "request": ['{"rows":[{"age":1,"plan":"x"},{"age":2,"plan":"y"}]}', '{"rows":[{"age":3}]}', None],
        "response": pa.array(['{"p":[0.1,0.2]}', '{"p":[0.3]}', None]),
        "meta": pa.array([[("version", "7")], [("version", "8")], None], pa.map_(pa.string(), pa.string())),
        "codes": pa.array([[], None, ["TOO_LARGE"]], pa.list_(pa.string())),
        "junk": pa.array([b"\xff\xfe"] * 3),
    }
    pq.write_table(pa.table(columns), tmp_path / "log.parquet")
    mapping = {
        "json": ["request", "response"],
        "rows": ["request.rows", "response.p"],
        "failed": {"codes": "*"},
        "map": {
            "timestamp": "request_time",
            "prediction_id": "id",
            "model_version": "meta.version",
            "features.*": "request.rows.*",
            "prediction.score": "response.p",
        },
    }
    said = decode_file(opened("parquet", mapping, DecodePlan(model="m")), tmp_path / "log.parquet")
    assert [(row["prediction_id"], row.get("model_version")) for row in said.predictions] == [
        ("a#0", "7"),
        ("a#1", "7"),
        ("b", "8"),
        ("c", None),
    ]
    assert [row.get("features.age") for row in said.predictions] == ["1", "2", "3", None]
    assert said.predictions[-1]["error"] == 'codes ["TOO_LARGE"]'


def test_only_the_columns_that_the_mapping_looks_at_are_read(tmp_path):
    pq.write_table(
        pa.table({"at": [1], "id": ["a"], "p": [0.5], "in": [{"x": 1}], "big": ["…"]}), tmp_path / "log.parquet"
    )
    mapping = {"map": {"timestamp": "at", "prediction_id": "id", "features.*": "in.*", "prediction.score": "p"}}
    with (tmp_path / "log.parquet").open("rb") as stream:
        [cut] = opened("parquet", mapping, DecodePlan()).cut(stream, tmp_path / "log.parquet", 0, complete=True)
    assert cut.data.schema.names == ["at", "id", "p", "in"]


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_file_without_any_mapped_column_is_refused(tmp_path, kind):
    path = tmp_path / f"log.{kind}"
    table = pa.table({"other": [1]})
    if kind == "csv":
        pyarrow.csv.write_csv(table, path)
    else:
        pq.write_table(table, path)
    mapping = {"map": {"timestamp": "at", "prediction.score": "p"}}
    with path.open("rb") as stream, pytest.raises(InputError, match="no column that `map` names"):
        list(opened(kind, mapping, DecodePlan()).cut(stream, path, 0, complete=True))
