"""What tests of sources share: events that can be told apart, and what a source reads of them."""

from collections.abc import Callable

import pytest

from mlvitals.formats import DecodePlan
from mlvitals.sources import FileSource, Source


def _lines(start: int, stop: int) -> bytes:
    template = '{"timestamp":"2026-03-01T10:12:07Z","model":"m","prediction_id":%d,"prediction":{"score":0.5}}\n'
    return b"".join((template % index).encode() for index in range(start, stop))


def _ids(source: Source, *, complete: bool = False) -> list[int]:
    found: list[int | str] = []
    for raw in source.read(complete=complete):
        predictions = source.format.decode(raw).predictions
        found += predictions["prediction_id"].to_pylist() if predictions.num_rows else []
    return [int(one) for one in found]


@pytest.fixture(scope="session")
def lines() -> Callable[[int, int], bytes]:
    return _lines


@pytest.fixture(scope="session")
def ids() -> Callable[..., list[int]]:
    return _ids


@pytest.fixture
def open_source(tmp_path) -> Callable[..., Source]:
    def open_pattern(*patterns: str, **options) -> Source:
        paths = [str(tmp_path / pattern) for pattern in patterns or ("*",)]
        return FileSource(path=paths, **options).open(DecodePlan())

    return open_pattern
