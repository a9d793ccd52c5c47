"""What all tests share: the folder of real event sets, where it is at hand."""

import os
import socketserver
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.intake.datadog import DatadogIntake

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

# A server's answer is two writes, head and body: held back until the first is acknowledged, each takes 40 ms.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real event sets that may not be shipped: the folder `data` in MLVITALS_SHARED, or in ../shared."""
    folder = Path(os.environ.get("MLVITALS_SHARED", REPOSITORY.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"the real event sets are not at hand: {folder} is no folder")
    return folder


@pytest.fixture(name="datadog_intake")
def _datadog_intake() -> "Iterator[DatadogIntake]":
    """A strict stand-in for Datadog's intake; a test that sends it what Datadog would refuse or rewrite fails."""
    from tests.intake.datadog import datadog_intake  # noqa: PLC0415  # only whoever asks for it loads a validator

    with datadog_intake() as told:
        yield told
    assert told.faults == []


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name packed bytes by their length: gzip writes the time into them, and two workers must collect the same ids."""
    if isinstance(val, bytes) and not (val.isascii() and val.decode("ascii").isprintable()):
        return f"{argname} of {len(val)} bytes"
    return None
