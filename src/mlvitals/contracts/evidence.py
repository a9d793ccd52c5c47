"""Evidence of every kind, made up from a layout: what a statistic must get along with."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, reduce
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.signals.cost_terms import CostTerms, Term
from mlvitals.signals.evidence import EXPECTED, SELFCHECK
from mlvitals.signals.spec import DetectorState, Evidence, Rival, Status, Volume
from mlvitals.windows.bins import SPECIALS, CategoryBins, NumericBins
from mlvitals.windows.exact_sum import CELLS, add_exact
from mlvitals.windows.histogram import HISTOGRAM_BINS, duration_bins
from mlvitals.windows.layout import FeatureLayout, Kind, Layout, OutputLayout, Task
from mlvitals.windows.matured import Matured
from mlvitals.windows.outcome_sums import CUTOFFS, LOSS_SUMS, MOMENT_SUMS, RANK_METRICS
from mlvitals.windows.summary import Counts, Summary

Parts = Mapping[str, npt.ArrayLike]

_SUMS: Final = frozenset({"brier", "log_loss", "absolute", "squared", "signed", "label", "relative", *RANK_METRICS})
# Of what lies below 1, so that they are greater than the squares of their means.
_SQUARES: Final = frozenset({"label_squared", "brier_squared", "log_loss_squared", "relative_squared"})
_POWERS: Final = _SQUARES | frozenset(f"{metric}_squared" for metric in RANK_METRICS) | frozenset(MOMENT_SUMS)
_ALL_ROWS: Final = frozenset({"labelled", "measured", "relative_rows", "distributions"})
_NO_ROWS: Final = frozenset({"improbable", "improper", "nothing_relevant"})
_OF_NO_COLUMN: Final = frozenset({"predictions", "errors", "latency", "lag", "positive_score"})

_COSTS: Final = CostTerms(
    currency="EUR",
    false_negative=Term(each=20.0),
    false_positive=Term(each=5.0),
    review=0.5,
    over=1.0,
    under=2.0,
    failed_request=0.25,
    silent_hour=100.0,
)

_RANDOM_ROWS: Final = {"empty": 0, "one row": 1, "tiny": 46, "usual": 1000}
_ONE_CELL: Final = {"all missing": -SPECIALS, "all in the first bin": 0, "all in the last special": -1}
_SEGMENTS: Final = {"web": 3, "app": 5}  # with the seeds of their counts
_REFERENCES: Final = ("empty", "usual", "all missing", "all in the first bin")


def _point(value: float) -> tuple[float, float]:
    return value, float(np.nextafter(value, np.inf))


@cache
def layouts() -> Mapping[str, Layout]:
    """Return one layout for each task, and one of many classes with their scores, all with the same five features."""
    features = (
        FeatureLayout("amount", Kind.NUMERIC, NumericBins((10.0, 20.0, 30.0, 50.0))),
        FeatureLayout("risk", Kind.NUMERIC, NumericBins((*_point(0.0), 0.1, 0.4))),
        FeatureLayout("constant", Kind.NUMERIC, NumericBins(_point(7.0))),
        FeatureLayout("channel", Kind.CATEGORICAL, CategoryBins(("web", "app", "shop", "phone"), own=3)),
        FeatureLayout("void", Kind.NUMERIC, NumericBins(())),
    )
    outputs = {
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
        "distributed": OutputLayout(
            task=Task.MULTICLASS, classes=CategoryBins(("cat", "dog", "cow", "yak"), own=3), distribution=True
        ),
        "ranking": OutputLayout(task=Task.RANKING, ranked=CUTOFFS),
        "regression": OutputLayout(
            task=Task.REGRESSION, score=NumericBins((100.0, 200.0, 300.0)), groups=(0, 1, 1, 2), probability=False
        ),
    }
    return {name: Layout(features=features, output=output) for name, output in outputs.items()}


def fill(layout: Layout, served: Parts | None = None, outcomes: Sequence[Parts] = ()) -> Summary:
    """Return a summary whose named sections hold these counts and whose others are empty.

    outcomes: the sections of each age bucket.
    """
    summary = Summary.empty(layout, buckets=len(outcomes))
    for name, counts in (served or {}).items():
        summary.served[layout.served_sections[name]] = counts
    for row, parts in zip(summary.outcomes, outcomes, strict=True):
        for name, counts in parts.items():
            row[layout.outcome_sections[name]] = counts
    return summary


def exact_cells(values: npt.ArrayLike) -> Counts:
    """Return the cells of an exact sum over values."""
    cells = np.zeros(CELLS, dtype=np.int64)
    numbers = np.asarray(values, float)
    add_exact(cells, np.zeros(numbers.size, np.intp), numbers, np.ones(numbers.size, np.int64))
    return cells


def durations(seconds: npt.ArrayLike) -> Counts:
    """Return a histogram over seconds."""
    return np.bincount(duration_bins(np.asarray(seconds, float)), minlength=HISTOGRAM_BINS)


def usual(layout: Layout) -> Evidence:
    """Return an ordinary window against an ordinary reference."""
    parts = {f"channel={name}": _random(layout, _RANDOM_ROWS["usual"] // 2, seed) for name, seed in _SEGMENTS.items()}
    ordinary = _evidence(reduce(Summary.__add__, parts.values()), _random(layout, _RANDOM_ROWS["usual"], 4))
    alone = ("volume", "errors", "features", "prediction", "segment", "coverage", "performance", "cost", SELFCHECK)
    every = [*((name, "7d") for name in alone), *(("feature", feature.name) for feature in layout.features)]
    states = tuple(DetectorState(name, subject, 0.5, 3.0, Status.OK, {EXPECTED: 0.5}) for name, subject in every)
    rival = Rival(version="2", outcome=_random(layout, _RANDOM_ROWS["usual"], 7).outcome(0))
    segments = {name: part.outcome(0) for name, part in parts.items()}
    return replace(ordinary, detectors=states, segments=segments, rival=rival, matured=_matured(layout))


def blank(layout: Layout) -> Evidence:
    """Return a window without any event against an ordinary reference."""
    return _evidence(fill(layout, {}, [{}]), _random(layout, _RANDOM_ROWS["usual"], 6))


def situations(layout: Layout) -> dict[str, Evidence]:
    """Return every kind of window against every kind of reference, by its name."""
    return {
        f"{window} against {reference}": _evidence(_summary(layout, window, 1), _summary(layout, reference, 2))
        for window, reference in product((*_RANDOM_ROWS, *_ONE_CELL), _REFERENCES)
    }


def _calibrated(groups: npt.NDArray[np.intp], scores: npt.NDArray[np.float64], size: int) -> Counts:
    """Return the calibration of scores by group; every second row came true."""
    units = [np.rint(power * 2**32) for power in (scores, scores**2)]
    runs = (np.ones(len(groups)), np.arange(len(groups)) % 2, *units)
    return np.concatenate([np.bincount(groups, run, minlength=size) for run in runs]).astype(np.int64)


def _columns(layout: Layout) -> dict[str, int]:
    """Return the sections that bin a column, with their sizes."""
    parts = layout.served_sections.items()
    return {name: int(part.stop - part.start) for name, part in parts if name not in _OF_NO_COLUMN}


def _decisions(layout: Layout, served: Parts) -> dict[str, npt.ArrayLike]:
    """Return decisions by score, where they are counted: every second one is positive."""
    part = layout.served_sections.get("positive_score")
    return {} if part is None else {"positive_score": np.asarray(served["score"])[: part.stop - part.start] // 2}


def _decided(layout: Layout, rows: int, seed: int) -> dict[str, npt.ArrayLike]:
    """Return the predicted classes of a binary task: of each more than have a label, and a few rows without any."""
    if layout.output.task is not Task.BINARY or layout.output.classes is None:
        return {}
    positives = int(np.random.default_rng(seed).integers(rows * 4 // 10, rows * 5 // 10, endpoint=True))
    undecided = rows // 20
    return {"class": [rows - positives - undecided, positives, undecided, 0, 0]}


def _matured(layout: Layout) -> Matured | None:
    """Return cohorts of which every label came, seven in eight of them by the age; None but in a binary task."""
    if layout.output.task is not Task.BINARY:
        return None
    final = np.full((4, 2, 2), 200) + np.arange(16).reshape(4, 2, 2)
    return Matured(served=final.sum(axis=2), known=final * 7 // 8, final=final)


def _random(layout: Layout, rows: int, seed: int) -> Summary:
    generator = np.random.default_rng(seed)
    served: dict[str, npt.ArrayLike] = {
        name: generator.multinomial(rows, generator.dirichlet(np.ones(size))) for name, size in _columns(layout).items()
    }
    served |= {"predictions": rows, "errors": 2} | _decisions(layout, served) | _decided(layout, rows, seed)
    served |= {name: durations(generator.lognormal(size=rows)) for name in ("latency", "lag")}
    outcome = {name: _labels(layout, name, rows // 2, generator) for name in layout.outcome_sections}
    outcome |= _judged(layout, rows // 2, generator)
    return fill(layout, served, [outcome])


def _labels(layout: Layout, name: str, labelled: int, generator: np.random.Generator) -> npt.ArrayLike:
    if name in _POWERS:
        return exact_cells(1 + generator.uniform(size=labelled))
    if name in LOSS_SUMS:
        return np.concatenate([exact_cells(generator.uniform(size=9)) for _ in range(layout.output.group_count)])
    if name in _SUMS:
        return exact_cells(generator.uniform(size=labelled))
    if name == "calibration":
        groups = generator.integers(layout.output.group_count, size=labelled)
        return _calibrated(groups, generator.uniform(size=labelled), layout.output.group_count)
    if name in _ALL_ROWS | _NO_ROWS:
        return labelled if name in _ALL_ROWS else 0
    part = layout.outcome_sections[name]
    size = part.stop - part.start
    return generator.multinomial(labelled, np.full(size, 1 / size))


def _judged(layout: Layout, labelled: int, generator: np.random.Generator) -> dict[str, npt.ArrayLike]:
    """Return labels by score and by decision, of a binary task with a score: the same ones, a quarter mistaken."""
    bins = layout.output.score
    if layout.output.task is not Task.BINARY or bins is None:
        return {}
    rows = {"negatives": labelled - labelled // 2, "positives": labelled // 2}
    padding = np.zeros(SPECIALS, dtype=np.int64)
    by_score = {
        name: np.concatenate([generator.multinomial(count, np.full(bins.size, 1 / bins.size)), padding])
        for name, count in rows.items()
    }
    confusion = np.zeros((3, 3), dtype=np.int64)
    for true, count in enumerate(rows.values()):
        confusion[:2, true] = count // 4
        confusion[true, true] = count - count // 4
    return {**by_score, "confusion": confusion.reshape(-1)}


def _one_cell(layout: Layout, rows: int, cell: int) -> Summary:
    """All rows of every column in one cell, counted from the end where negative."""
    served: dict[str, npt.ArrayLike] = {}
    for name, size in _columns(layout).items():
        counts = [0] * size
        counts[cell] = rows
        served[name] = counts
    return fill(layout, {**served, "predictions": rows} | _decisions(layout, served), [{}])


def _summary(layout: Layout, kind: str, seed: int) -> Summary:
    if kind == "empty":
        return fill(layout, {}, [{}])
    if kind in _RANDOM_ROWS:
        return _random(layout, _RANDOM_ROWS[kind], seed)
    return _one_cell(layout, 500, _ONE_CELL[kind])


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
        costs=_COSTS,
    )
