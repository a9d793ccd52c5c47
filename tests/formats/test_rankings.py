"""Rankings and grades of relevance, in every format that has lists and maps."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlvitals.events import RawBatch
from mlvitals.events.rankings import hash_ids, spell_relevance
from mlvitals.formats.base import DecodePlan
from mlvitals.formats.jsonlines import JsonLines
from mlvitals.formats.parquet import ParquetFormat

TIME = "2026-03-01T12:00:00Z"


def prediction(one, ranking, **more):
    return {
        "event": "prediction",
        "timestamp": TIME,
        "model": "m",
        "prediction_id": one,
        "prediction": {"ranking": ranking},
        **more,
    }


def label(one, relevance, **more):
    return {"event": "label", "timestamp": TIME, "model": "m", "prediction_id": one, "relevance": relevance, **more}


def decode(rows, plan=None):
    data = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    return JsonLines(plan or DecodePlan()).decode(RawBatch(data=data, place="f", position=b""))


def rankings(batch):
    return batch.predictions.column("prediction.ranking").to_pylist()


def test_ids_are_read_whatever_their_type_and_all_digits_count():
    large = 2**60 + 1
    batch = decode([prediction("a", ["x", "y"]), prediction("b", [7, large]), prediction("c", [7.0, "z"])])
    assert rankings(batch) == [hash_ids(ids).tolist() for ids in (["x", "y"], ["7", str(large)], ["7", "z"])]


def test_many_rows_are_read_as_each_alone_is():
    rows = [prediction(f"p{index}", [f"i{index}", index, 2**61 + index][: index % 4]) for index in range(2_000)]
    rows[700] = prediction("p700", ["a", 1, 2.5])
    together = rankings(decode(rows))
    assert len(together) == 2_000
    assert together[::97] == [rankings(decode([row]))[0] for row in rows[::97]]


def test_predictions_and_labels_stay_in_the_order_of_their_lines():
    rows = [
        row
        for index in range(600)
        for row in (prediction(f"p{index}", ["a"]), label(f"p{index}", {f"i{index}": index}))
    ]
    batch = decode(rows)
    assert batch.account.parsed == len(rows)
    ids = [f"p{index}" for index in range(600)]
    assert batch.predictions.column("prediction_id").to_pylist() == ids
    assert batch.labels.column("prediction_id").to_pylist() == ids
    expected = [spell_relevance({f"i{index}": index}) for index in range(600)]
    assert batch.labels.column("label").to_pylist() == expected


@pytest.mark.parametrize("ranking", [{"a": 1}, "a", 3, [True], [["a"]], [None], [{"a": 1}]])
def test_what_is_no_list_of_ids_loses_its_own_row_only(ranking):
    rows = [prediction(f"p{index}", ["a"]) for index in range(5)]
    batch = decode([*rows, prediction("bad", ranking), *rows])
    assert rankings(batch) == [hash_ids(["a"]).tolist()] * 10
    assert batch.account.unparseable == 1
    assert batch.account.examples == ("f:6: prediction.ranking is not a list of ids (texts or numbers)",)


@pytest.mark.parametrize("relevance", [["a"], "a", 1, {"a": -1}, {"a": "high"}, {"a": {"b": 1}}])
def test_what_are_no_grades_lose_their_own_row_only(relevance):
    batch = decode([label("good", {"a": 1}), label("bad", relevance), label("too", {})])
    assert batch.labels.column("prediction_id").to_pylist() == ["good", "too"]
    (example,) = batch.account.examples
    assert example.startswith("f:2: relevance is not an object of ids with grades from 0 on")


def test_a_label_of_the_row_counts_before_its_grades():
    rows = [
        label("a", {"x": 1}, label=0),
        label("b", None, label=1),
        label("c", {"x": 2}),
        label("d", {"x": -1}, label=1),
    ]
    batch = decode(rows)
    assert batch.labels.column("label").to_pylist() == ["0", "1", spell_relevance({"x": 2}), "1"]
    assert decode(rows[:2]).labels.column("label").to_pylist() == [0, 1]


def test_models_that_do_not_rank_lose_nothing_by_an_odd_ranking():
    row = prediction("a", "no list")
    row["prediction"]["score"] = 0.5
    assert decode([row]).account.parsed == 1


def test_a_row_may_carry_its_ranking_and_its_grades():
    row = {key: value for key, value in prediction("a", ["x"], relevance={"x": 1}).items() if key != "event"}
    batch = decode([row])
    assert (batch.predictions.num_rows, batch.labels.num_rows) == (1, 1)


def test_models_that_rank_nothing_read_neither():
    plan = DecodePlan(rankings=False)
    batch = decode([prediction("a", ["x"]), prediction("b", "no list"), label("a", {"x": -1}, label=1)], plan)
    assert batch.account.parsed == 3
    assert "prediction.ranking" not in batch.predictions.schema.names
    assert batch.labels.column("label").to_pylist() == [1]


def parquet(tmp_path, table):
    pq.write_table(table, tmp_path / "rows.parquet")
    reader = ParquetFormat().open(DecodePlan())
    with (tmp_path / "rows.parquet").open("rb") as stream:
        (cut,) = reader.cut(stream, tmp_path / "rows.parquet", 0, complete=True)
    return reader.decode(RawBatch(data=cut.data, place="f", position=b"", header=cut.header))


def test_lists_and_maps_of_parquet_are_read_as_json_is(tmp_path):
    common = {
        "timestamp": pa.array([0, 1, 2]).cast(pa.timestamp("us", tz="UTC")),
        "model": ["m"] * 3,
        "prediction_id": ["a", "b", "c"],
    }
    ranked = parquet(
        tmp_path,
        pa.table(common | {"prediction.ranking": pa.array([[1, 2**60], [], [3]], pa.list_(pa.uint64()))}),
    )
    assert rankings(ranked) == [hash_ids(ids).tolist() for ids in (["1", str(2**60)], [], ["3"])]
    grades = pa.array([[("x", 1.0)], [("x", -1.0)], [("y", 2.0), ("z", 0.0)]], pa.map_(pa.string(), pa.float64()))
    labelled = parquet(tmp_path, pa.table(common | {"relevance": grades}))
    assert labelled.labels.column("label").to_pylist() == [spell_relevance({"x": 1}), spell_relevance({"y": 2})]
    assert labelled.account.unparseable == 1
