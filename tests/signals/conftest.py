"""Layouts and summaries built by hand, for every test of this folder."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np
import numpy.typing as npt
import pytest

from mlvitals.signals.spec import Evidence, Volume
from mlvitals.windows.exact_sum import CELLS, add_exact
from mlvitals.windows.histogram import HISTOGRAM_BINS, duration_bins
from mlvitals.windows.layout import SPECIALS, CategoryBins, FeatureLayout, Kind, Layout, NumericBins, OutputLayout, Task
from mlvitals.windows.summary import Counts, Summary

SUMS = {"brier", "log_loss", "absolute", "squared", "signed", "label", "label_squared", "relative"}
Parts = Mapping[str, npt.ArrayLike]
FillSummary = Callable[..., Summary]


def _point(value: float) -> tuple[float, float]:
    return value, float(np.nextafter(value, np.inf))


def _features() -> tuple[FeatureLayout, ...]:
    return (
        FeatureLayout("amount", Kind.NUMERIC, NumericBins((10.0, 20.0, 30.0, 50.0))),
        FeatureLayout("risk", Kind.NUMERIC, NumericBins((*_point(0.0), 0.1, 0.4))),
        FeatureLayout("constant", Kind.NUMERIC, NumericBins(_point(7.0))),
        FeatureLayout("channel", Kind.CATEGORICAL, CategoryBins(("web", "app", "shop", "phone"), own=3)),
        FeatureLayout("void", Kind.NUMERIC, NumericBins(())),
    )


_OUTPUTS = {
    "binary": OutputLayout(
        task=Task.BINARY,
        score=NumericBins((0.1, 0.2, *_point(0.5), 0.7, 0.9)),
        groups=(0, 0, 1, 2, 3, 3, 4),
        classes=CategoryBins(("0", "1"), own=2),
        positive="1",
        probability=True,
    ),
    "multiclass": OutputLayout(task=Task.MULTICLASS, classes=CategoryBins(("cat", "dog", "cow", "yak"), own=3)),
    "confident": OutputLayout(
        task=Task.MULTICLASS,
        score=NumericBins((0.5, 0.8)),
        classes=CategoryBins(("cat", "dog", "cow", "yak"), own=3),
        probability=True,
    ),
    "regression": OutputLayout(
        task=Task.REGRESSION, score=NumericBins((100.0, 200.0, 300.0)), groups=(0, 1, 1, 2), probability=False
    ),
}


@pytest.fixture(scope="session")
def layouts() -> dict[str, Layout]:
    """One layout for each task, and one of many classes with their scores, all with the same five features."""
    return {name: Layout(features=_features(), output=output) for name, output in _OUTPUTS.items()}


def _fill(layout: Layout, served: Parts | None = None, outcomes: Sequence[Parts] = ()) -> Summary:
    summary = Summary.empty(layout, buckets=len(outcomes))
    for name, counts in (served or {}).items():
        summary.served[layout.served_sections[name]] = counts
    for row, parts in zip(summary.outcomes, outcomes, strict=True):
        for name, counts in parts.items():
            row[layout.outcome_sections[name]] = counts
    return summary


@pytest.fixture(scope="session")
def fill() -> FillSummary:
    """Return a summary whose named sections hold these counts and whose others are empty."""
    return _fill


def _exact(values: npt.ArrayLike) -> Counts:
    cells = np.zeros((1, CELLS), dtype=np.int64)
    numbers = np.asarray(values, float)
    add_exact(cells, np.zeros(numbers.size, np.intp), numbers, np.ones(numbers.size, np.int64))
    return np.asarray(cells[0])


@pytest.fixture(scope="session")
def exact_cells() -> Callable[[npt.ArrayLike], Counts]:
    """Return the cells of an exact sum over these values."""
    return _exact


def _calibrated(groups: npt.NDArray[np.intp], scores: npt.NDArray[np.float64], size: int) -> Counts:
    """Return the calibration of scores by group; every second row came true."""
    units = [np.rint(power * 2**32) for power in (scores, scores**2)]
    runs = (np.ones(len(groups)), np.arange(len(groups)) % 2, *units)
    return np.concatenate([np.bincount(groups, run, minlength=size) for run in runs]).astype(np.int64)


def _durations(seconds: npt.ArrayLike) -> Counts:
    return np.bincount(duration_bins(np.asarray(seconds, float)), minlength=HISTOGRAM_BINS)


@pytest.fixture(scope="session")
def durations() -> Callable[[npt.ArrayLike], Counts]:
    """Return a histogram over these seconds."""
    return _durations


def _columns(layout: Layout) -> list[str]:
    scalars = {"predictions", "errors", "latency", "lag"}
    return [name for name in layout.served_sections if name not in scalars]


def _width(layout: Layout, name: str) -> int:
    part = layout.served_sections[name]
    return int(part.stop - part.start)


def _random(layout: Layout, rows: int, seed: int) -> Summary:
    generator = np.random.default_rng(seed)
    served: dict[str, npt.ArrayLike] = {
        name: generator.multinomial(rows, generator.dirichlet(np.ones(_width(layout, name))))
        for name in _columns(layout)
    }
    served |= {"predictions": rows, "errors": 2}
    served |= {name: _durations(generator.lognormal(size=rows)) for name in ("latency", "lag")}
    labelled = rows // 2
    outcome: dict[str, npt.ArrayLike] = {}
    for name in layout.outcome_sections:
        part = layout.outcome_sections[name]
        if name == "label_squared":
            outcome[name] = _exact(1 + generator.uniform(size=labelled))
        elif name in SUMS:
            outcome[name] = _exact(generator.uniform(size=labelled))
        elif name == "calibration":
            groups = generator.integers(layout.output.group_count, size=labelled)
            outcome[name] = _calibrated(groups, generator.uniform(size=labelled), layout.output.group_count)
        elif name in {"labelled", "measured", "relative_rows", "improbable"}:
            outcome[name] = 0 if name == "improbable" else labelled
        else:
            size = part.stop - part.start
            outcome[name] = generator.multinomial(labelled, np.full(size, 1 / size))
    return _fill(layout, served, [outcome])


def _one_cell(layout: Layout, rows: int, cell: int) -> Summary:
    """All rows of every column in one cell, counted from the end where negative."""
    served = {}
    for name in _columns(layout):
        counts = [0] * _width(layout, name)
        counts[cell] = rows
        served[name] = counts
    return _fill(layout, {**served, "predictions": rows}, [{}])


def _evidence(current: Summary, reference: Summary) -> Evidence:
    return Evidence(
        current=current,
        reference=reference,
        training=reference,
        outcome=current.outcome(0),
        maturity="7d",
        seconds=3600.0,
        repeats=current.predictions // 20,
        volume=Volume(expected=reference.predictions / 2, noise=reference.predictions / 20, windows=5),
    )


RANDOM_ROWS = {"empty": 0, "one row": 1, "tiny": 46, "usual": 1000}
ONE_CELL = {"all missing": -SPECIALS, "all in the first bin": 0, "all in the last special": -1}
WINDOWS = (*RANDOM_ROWS, *ONE_CELL)
REFERENCES = ("empty", "usual", "all missing", "all in the first bin")


def _summary(layout: Layout, kind: str, seed: int) -> Summary:
    if kind == "empty":
        return _fill(layout, {}, [{}])
    return _random(layout, RANDOM_ROWS[kind], seed) if kind in RANDOM_ROWS else _one_cell(layout, 500, ONE_CELL[kind])


@pytest.fixture(scope="session")
def situations(layouts) -> dict[str, Evidence]:
    """Every kind of window against every kind of reference, for every task."""
    return {
        f"{task}: {window} against {reference}": _evidence(
            _summary(layouts[task], window, 1), _summary(layouts[task], reference, 2)
        )
        for task, window, reference in product(_OUTPUTS, WINDOWS, REFERENCES)
    }


@pytest.fixture(scope="session")
def usual(layouts) -> dict[str, Evidence]:
    """One ordinary window against an ordinary reference, for each task."""
    return {
        task: _evidence(_summary(layout, "usual", 3), _summary(layout, "usual", 4)) for task, layout in layouts.items()
    }


@pytest.fixture(scope="session")
def blank(layouts) -> dict[str, Evidence]:
    """A window without any event against an ordinary reference, for each task."""
    return {
        task: _evidence(_summary(layout, "empty", 5), _summary(layout, "usual", 6)) for task, layout in layouts.items()
    }
