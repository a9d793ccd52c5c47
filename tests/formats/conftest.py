"""What tests of formats share: decoding bytes, and reading batches as rows of canonical values."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlvitals.contracts.events import Content, content_of
from mlvitals.events import EventBatch, RawBatch
from mlvitals.formats import Cut, Format


def _content(*batches: EventBatch) -> Content:
    return content_of(batches)


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
