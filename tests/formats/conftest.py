"""What tests of formats share: decoding bytes, and reading batches as rows of canonical values."""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest

from mlvitals.events import EventBatch, RawBatch, ReadAccount
from mlvitals.formats import Cut, Format
from mlvitals.formats.rows import spell


class Content(NamedTuple):
    """What batches say, however their columns are typed and cut."""

    predictions: list[dict[str, str]]
    labels: list[dict[str, str]]
    changes: list[dict[str, str]]
    dispositions: Mapping[str, int]


def _rows(table: pa.RecordBatch) -> list[dict[str, str]]:
    return [
        {
            name: value.isoformat() if name.endswith("timestamp") else spell(value)
            for name, value in row.items()
            if value is not None
        }
        for row in table.to_pylist()
    ]


def _count(account: ReadAccount) -> Counter[str]:
    assert account.rows == account.parsed + account.unparseable + account.skipped
    return Counter(parsed=account.parsed, unparseable=account.unparseable, skipped=account.skipped)


def _content(*batches: EventBatch) -> Content:
    return Content(
        [row for batch in batches for row in _rows(batch.predictions)],
        [row for batch in batches for row in _rows(batch.labels)],
        [row for batch in batches for row in _rows(batch.changes)],
        sum((_count(batch.account) for batch in batches), Counter[str]()),
    )


def _decode_cut(reader: Format, cut: Cut) -> EventBatch:
    raw = RawBatch(data=cut.data, place="events", position=b"", header=cut.header, first_line=cut.first_line)
    return reader.decode(raw)


def _decode_file(reader: Format, path: Path) -> Content:
    with path.open("rb") as stream:
        return _content(*(_decode_cut(reader, cut) for cut in reader.cut(stream, path, 0, complete=True)))


@pytest.fixture(scope="session")
def content() -> Callable[..., Content]:
    return _content


@pytest.fixture(scope="session")
def decode_cut() -> Callable[[Format, Cut], EventBatch]:
    return _decode_cut


@pytest.fixture(scope="session")
def decode_file() -> Callable[[Format, Path], Content]:
    return _decode_file


@pytest.fixture(scope="session")
def decode() -> Callable[[Format, bytes], EventBatch]:
    def decode_bytes(reader: Format, data: bytes) -> EventBatch:
        return reader.decode(RawBatch(data=data, place="events", position=b"here"))

    return decode_bytes


@pytest.fixture
def event() -> dict[str, Any]:
    return {
        "event": "prediction",
        "timestamp": "2026-03-01T10:12:07.120Z",
        "model": "card-fraud",
        "model_version": "7",
        "prediction_id": "p42",
        "features": {"amount": 12.5, "channel": "web"},
        "prediction": {"label": "0", "score": 0.03},
        "latency_ms": 8.1,
    }
