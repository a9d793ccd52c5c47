"""Samples are bounded, of every kind of file, and say what they left out."""

import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from mlvitals.errors import InputError
from mlvitals.setup.inference.sample import FileKind, take_sample, take_samples

ROWS = [{"a": index, "b": {"c": str(index)}} for index in range(50)]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()


@pytest.mark.parametrize(
    ("suffix", "pack"), [("", bytes), (".gz", gzip.compress), (".zst", zstandard.ZstdCompressor().compress)]
)
def test_json_lines_are_sampled_compressed_or_not(tmp_path, suffix, pack):
    path = tmp_path / f"log.jsonl{suffix}"
    path.write_bytes(pack(LINES))
    sample = take_sample(str(path))
    assert (sample.kind, sample.records, sample.whole, sample.data) == (FileKind.JSON, ROWS, True, LINES)


def test_a_sample_ends_at_the_bound_of_rows(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(LINES)
    sample = take_sample(str(path), lines=10)
    assert (len(sample.records), sample.whole) == (10, False)


def test_a_sample_ends_at_the_bound_of_bytes(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(LINES)
    sample = take_sample(str(path), size=100)
    assert 100 <= len(sample.data) < 150
    assert not sample.whole


def test_exactly_as_many_rows_as_the_bound_are_the_whole_file(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(LINES)
    assert take_sample(str(path), lines=50).whole


def test_lines_that_are_no_objects_are_counted(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b'starting\n{"a": 1}\n[2]\n{"a": NaN}\n\n{"a": 3}\n'.replace(b"starting", b"{oops"))
    sample = take_sample(str(path))
    assert (len(sample.records), sample.unreadable) == (3, 2)


def test_a_document_over_many_lines_is_refused(tmp_path):
    path = tmp_path / "log.json"
    path.write_text(json.dumps({"rows": ROWS[:3]}, indent=1))
    with pytest.raises(InputError, match="one object on each line"):
        take_sample(str(path))


def test_columns_of_csv_are_numbers_only_if_every_cell_is(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("\ufeffcode;count;share;mixed;note\n007;1;0.5;1;a,b\n010;;1;x;\n", encoding="utf-8")
    sample = take_sample(str(path))
    assert sample.delimiter == ";"
    assert sample.records == [
        {"code": "007", "count": 1, "share": 0.5, "mixed": "1", "note": "a,b"},
        {"code": "010", "count": None, "share": 1.0, "mixed": "x", "note": None},
    ]


def test_parquet_is_sampled_with_what_is_nested(tmp_path):
    path = tmp_path / "table.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), path)
    sample = take_sample(str(path), lines=20)
    assert (sample.kind, sample.records, sample.whole) == (FileKind.PARQUET, ROWS[:20], False)


def test_a_file_that_two_patterns_name_is_sampled_once(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(LINES)
    (tmp_path / "b.jsonl").write_bytes(LINES)
    samples = take_samples([str(tmp_path), str(tmp_path / "*.jsonl")])
    assert [sample.path for sample in samples] == [str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")]


def test_a_pattern_that_names_nothing_is_told(tmp_path):
    with pytest.raises(InputError, match="no file matches"):
        take_samples([str(tmp_path / "*.jsonl")])


def test_a_sample_names_standard_input_as_such(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\n")))
    with pytest.raises(InputError, match="standard input: empty"):
        take_sample("-")
