"""The same predictions in vendors' logs, read by mappings written by hand."""

import gzip
import json

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest

from mlvitals.events import RawBatch
from mlvitals.formats import DecodePlan, JsonFormat, MlvitalsFormat
from mlvitals.formats.chunks import LineChunk

pytestmark = pytest.mark.shared

DATABRICKS = {
    "json": ["request", "response"],
    "rows": ["request.dataframe_records", "response.predictions"],
    "map": {
        "timestamp": "timestamp_ms",
        "prediction_id": "databricks_request_id",
        "model_version": "request_metadata.model_version",
        "features.*": "request.dataframe_records.*",
        "prediction.score": "response.predictions",
        "latency_ms": "execution_time_ms",
    },
    "units": {"timestamp": "ms"},
    "failed": {"status_code": ">=400"},
}


def sagemaker(names):
    return {
        "csv": {"captureData.endpointInput.data": names, "captureData.endpointOutput.data": ["score"]},
        "map": {
            "timestamp": "eventMetadata.inferenceTime",
            "prediction_id": ["eventMetadata.inferenceId", "eventMetadata.eventId"],
            "features.*": "captureData.endpointInput.data.*",
            "prediction.score": "captureData.endpointOutput.data.score",
        },
        "constants": {"model": "churn"},
    }


@pytest.fixture(scope="module")
def folder(shared_data):
    return shared_data / "capture_formats"


@pytest.fixture(scope="module")
def names(folder):
    return [name for name in pq.read_schema(folder / "churn_reference.parquet").names if name != "Churn"]


@pytest.fixture(scope="module")
def expected(folder):
    return read(MlvitalsFormat(), folder / "churn_expected.jsonl.gz").predictions


def read(config, path):
    if isinstance(config, dict):
        config = msgspec.convert({"type": "json", **config}, JsonFormat)
    data = gzip.decompress(path.read_bytes())
    batch = config.open(DecodePlan(model="churn")).decode(RawBatch(data=data, place="log", position=b""))
    assert batch.account.unparseable == 0, batch.account.examples
    return batch


def rows(table):
    """Rows by id: the time to the millisecond, features as they are."""
    said = {}
    for row in table.to_pylist():
        features = {name: value for name, value in row.items() if name.startswith("features.")}
        said[row["prediction_id"]] = (row["timestamp"], row["prediction.score"], row.get("latency_ms"), features)
    return said


def test_an_inference_table_holds_the_predictions(folder, expected):
    said, wanted = rows(read(DATABRICKS, folder / "churn_databricks.jsonl.gz").predictions), rows(expected)
    assert said.keys() == wanted.keys()
    for one, (time, score, latency, features) in wanted.items():
        assert said[one] == (time, score, round(latency), features)


def test_captured_lines_of_values_hold_the_predictions(folder, expected, names):
    said, wanted = rows(read(sagemaker(names), folder / "churn_sagemaker.jsonl.gz").predictions), rows(expected)
    assert said.keys() == wanted.keys()
    for one, (time, score, _, features) in wanted.items():
        assert said[one] == (time.replace(microsecond=0), score, None, features)


def test_they_are_read_at_once_not_line_by_line(folder, names):
    for config, name in ((DATABRICKS, "databricks"), (sagemaker(names), "sagemaker")):
        opened = msgspec.convert({"type": "json", **config}, JsonFormat).open(DecodePlan(model="churn"))
        lines = gzip.decompress((folder / f"churn_{name}.jsonl.gz").read_bytes()).splitlines()
        chunk = LineChunk(lines, np.arange(len(lines)))
        assert opened._reader._learn(chunk.part(0, 64))
        read_at_once = opened._reader._read_fast(chunk)
        assert read_at_once is not None
        assert len(read_at_once.rows) == 300


def test_lines_as_the_vendors_print_them_are_read(folder, names):
    line = (folder / "docs_sagemaker_capture.jsonl").read_bytes().splitlines()[0]
    config = msgspec.convert({"type": "json", **sagemaker(names)}, JsonFormat)
    batch = config.open(DecodePlan()).decode(RawBatch(data=line, place="log", position=b""))
    assert batch.predictions["prediction.score"].to_pylist() == [0.0254181120544672]
    assert json.loads(line)["eventMetadata"]["eventId"] == batch.predictions["prediction_id"][0].as_py()
