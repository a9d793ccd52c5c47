"""Vendors' logs with requests and responses apart give the predictions that were made."""

import gzip
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlvitals.engines import tables
from mlvitals.engines.account import Account
from mlvitals.engines.pairing import Pairing
from mlvitals.events import RawBatch
from mlvitals.formats import DecodePlan, JsonFormat, MlvitalsFormat
from mlvitals.hashing import KeyedHash
from mlvitals.state import Store

pytestmark = pytest.mark.shared
FAR = 2**53

AZURE = {
    "type": "json",
    "rows": ["data"],
    "map": {
        "timestamp": "time",
        "prediction_id": "correlationid",
        "model_version": "modelversion",
        "features.*": "data.*",
        "prediction.score": "data.churn_probability",
    },
    "join": {
        "request": {"type": "azureml.inference.inputs"},
        "response": {"type": "azureml.inference.outputs"},
    },
}


def kserve(names):
    return {
        "type": "json",
        "rows": ["data.instances", "data.predictions"],
        "names": {"data.instances": names},
        "map": {
            "timestamp": "time",
            "prediction_id": "id",
            "model": "inferenceservicename",
            "features.*": "data.instances.*",
            "prediction.score": "data.predictions",
        },
        "join": {
            "request": {"type": "org.kubeflow.serving.inference.request"},
            "response": {"type": "org.kubeflow.serving.inference.response"},
            "latency": True,
        },
    }


@pytest.fixture
def folder(shared_data):
    return shared_data / "capture_formats"


@pytest.fixture
def join(folder, tmp_path):
    """Read files one after the other in pieces of so many lines; return the predictions that came of them, by id."""

    def read(config, *names, lines=None):
        rows: dict[str, dict[str, Any]] = {}
        opened = config.open(DecodePlan(model="churn"))
        with Store.open(tmp_path / f"{len(names)}-{lines}.db", (tables.MIGRATIONS,)) as store:
            pairing = Pairing(store.connection, Account(), KeyedHash(b"k" * 32))
            for name in names:
                whole = gzip.decompress((folder / name).read_bytes()).splitlines(keepends=True)
                for start in range(0, len(whole), lines or len(whole)):
                    data = b"".join(whole[start : start + (lines or len(whole))])
                    batch = opened.decode(RawBatch(data=data, place=name, position=b""))
                    assert batch.account.unparseable == 0, batch.account.examples
                    with store.transaction():
                        for paired in pairing.take(name, batch.halves, FAR) if batch.halves else ():
                            rows |= by_id(paired.predictions)
                    rows |= by_id(batch.predictions)
        return rows

    return read


def by_id(batch: pa.RecordBatch):
    return {row["prediction_id"]: row for row in batch.to_pylist()}


@pytest.mark.parametrize("lines", [None, 70])
def test_inputs_and_outputs_in_two_files(join, lines):
    expected = join(MlvitalsFormat(), "churn_expected.jsonl.gz")
    files = ("churn_azure_mdc_inputs.jsonl.gz", "churn_azure_mdc_outputs.jsonl.gz")
    said = join(msgspec.convert(AZURE, JsonFormat), *files, lines=lines)
    wanted = {
        one: {name: value for name, value in row.items() if name != "latency_ms"}
        | {"timestamp": row["timestamp"].replace(microsecond=0)}
        for one, row in expected.items()
    }
    assert said == wanted


@pytest.mark.parametrize("lines", [None, 7])
def test_request_and_response_on_two_lines(join, folder, lines):
    expected = join(MlvitalsFormat(), "churn_expected.jsonl.gz")
    names = [name for name in pq.read_schema(folder / "churn_reference.parquet").names if name != "Churn"]
    said = join(msgspec.convert(kserve(names), JsonFormat), "churn_kserve.jsonl.gz", lines=lines)
    assert said.keys() == expected.keys()
    for one, row in expected.items():
        latency, wanted = said[one].pop("latency_ms"), dict(row)
        assert abs(latency - wanted.pop("latency_ms")) <= 1.0  # its clock has milliseconds
        del wanted["model_version"]  # it logs none
        assert said[one] == wanted
