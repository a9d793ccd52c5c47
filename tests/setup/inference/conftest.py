"""Logs in the shapes in which services write them, and what is inferred of them."""

import json
import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mlvitals.setup.inference.describe import Mapped, describe
from mlvitals.setup.inference.infer import Proposal, infer
from mlvitals.setup.inference.parts import find_parts
from mlvitals.setup.inference.sample import FileKind, Sample


class Rows:
    """A source of made-up values, the same in every run."""

    def __init__(self) -> None:
        self.draw = random.Random(3)

    def time(self, index: int) -> datetime:
        return datetime(2026, 3, 1, 8, tzinfo=UTC) + timedelta(minutes=7 * index)

    def iso(self, index: int) -> str:
        return self.time(index).isoformat()

    def id(self) -> str:
        return str(uuid.UUID(int=self.draw.getrandbits(128)))

    def share(self) -> float:
        return self.draw.random()


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture(scope="session")
def mapped() -> Callable[..., Mapped]:
    """Infer how records are read."""

    def run(records: Sequence[Mapping[str, Any]], names: Sequence[str] = ()) -> Mapped:
        found = find_parts(records, names)
        assert found is not None, "no prediction was found"
        return describe(*found)

    return run


@pytest.fixture(scope="session")
def proposed() -> Callable[..., Proposal]:
    """Infer a configuration from files of records, by name."""

    def run(**files: Sequence[Mapping[str, Any]]) -> Proposal:
        samples = []
        for name, records in files.items():
            data = "".join(json.dumps(record) + "\n" for record in records).encode()
            samples.append(Sample(path=f"{name}.jsonl", kind=FileKind.JSON, records=records, data=data))
        return infer(samples)

    return run
