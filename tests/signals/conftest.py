"""Layouts and summaries, for every test of this folder: those of the contract battery."""

from collections.abc import Callable, Mapping

import numpy.typing as npt
import pytest

from mlvitals.contracts import evidence
from mlvitals.signals.spec import Evidence
from mlvitals.windows.layout import Layout
from mlvitals.windows.summary import Counts, Summary

FillSummary = Callable[..., Summary]


@pytest.fixture(scope="session")
def layouts() -> Mapping[str, Layout]:
    """One layout for each task, and one of many classes with their scores, all with the same five features."""
    return evidence.layouts()


@pytest.fixture(scope="session")
def fill() -> FillSummary:
    """Return a summary whose named sections hold these counts and whose others are empty."""
    return evidence.fill


@pytest.fixture(scope="session")
def exact_cells() -> Callable[[npt.ArrayLike], Counts]:
    """Return the cells of an exact sum over these values."""
    return evidence.exact_cells


@pytest.fixture(scope="session")
def durations() -> Callable[[npt.ArrayLike], Counts]:
    """Return a histogram over these seconds."""
    return evidence.durations


@pytest.fixture(scope="session")
def situations(layouts) -> dict[str, Evidence]:
    """Every kind of window against every kind of reference, for every task."""
    return {
        f"{task}: {name}": one for task, layout in layouts.items() for name, one in evidence.situations(layout).items()
    }


@pytest.fixture(scope="session")
def usual(layouts) -> dict[str, Evidence]:
    """One ordinary window against an ordinary reference, for each task."""
    return {task: evidence.usual(layout) for task, layout in layouts.items()}


@pytest.fixture(scope="session")
def blank(layouts) -> dict[str, Evidence]:
    """A window without any event against an ordinary reference, for each task."""
    return {task: evidence.blank(layout) for task, layout in layouts.items()}
