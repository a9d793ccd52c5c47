"""Whether features moved: against normal production (drift) and against what the version learned on (skew)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final

from mlvitals.signals.column import Sides, read_cells, read_methods, read_numbers
from mlvitals.signals.comparison import (
    BESIDE,
    DRIFT,
    DRIFT_ROWS,
    LOCATION_WARNING,
    METHODS_IN_WORDS,
    PSI_BESIDE_IN_WORDS,
    PSI_WARNING,
    READ_ONLY_LEVELS,
    SKEW,
    Comparison,
)
from mlvitals.signals.method import CATEGORY_SHAPE, LOCATION, SHAPE, SPREAD, STABILITY
from mlvitals.signals.spec import Evidence, Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic
from mlvitals.signals.table import Tables, feature_section, feature_tables

_Read = Callable[[Tables, Sides], Iterator[Reading]]


def _location(tables: Tables, sides: Sides) -> Iterator[Reading]:
    return read_numbers(LOCATION, tables.numbers, sides)


def _spread(tables: Tables, sides: Sides) -> Iterator[Reading]:
    return read_numbers(SPREAD, tables.numbers, sides)


def _shape(tables: Tables, sides: Sides) -> Iterator[Reading]:
    yield from read_numbers(SHAPE, tables.numbers, sides)
    yield from read_cells(CATEGORY_SHAPE, tables.categories, sides)


def _scores(evidence: Evidence, comparisons: tuple[Comparison, ...]) -> Iterator[Reading]:
    judged = tuple(comparison for comparison in comparisons if comparison not in BESIDE)
    beside = tuple(comparison for comparison in comparisons if comparison in BESIDE)
    yield from _compute(evidence, judged, read_methods)
    yield from _compute(evidence, beside, partial(read_methods, cells=(STABILITY,), numbers=()))


def _compute(evidence: Evidence, comparisons: tuple[Comparison, ...], read: _Read) -> Iterator[Reading]:
    layout = evidence.current.layout
    references = {comparison: comparison.features(evidence) for comparison in comparisons}
    known = {comparison: reference for comparison, reference in references.items() if reference is not None}
    if not known:
        return
    names = [comparison.value for comparison in known]
    yield from read(
        feature_tables(layout),
        Sides(
            current=evidence.current.served[feature_section(layout)],
            references=[reference.served[feature_section(reference.layout)] for reference in known.values()],
            attributes=lambda place, column: {"feature": column.name, "comparison": names[place]},
        ),
    )


def _effect(name: str, brief: str, read: _Read, comparisons: tuple[Comparison, ...], level: Export) -> Statistic:
    return Statistic(
        spec=MetricSpec(
            name=name,
            unit="{sd}" if read is _location else "{effect}",
            brief=brief,
            layer=Layer.DATA,
            stage=Stage.WINDOW,
            orientation=Orientation.NEITHER,
            level=level,
            levels=READ_ONLY_LEVELS,
            attributes=("feature", "comparison"),
            minimum_samples=DRIFT_ROWS,
        ),
        compute=partial(_compute, comparisons=comparisons, read=read),
    )


def _warning(statistic: Statistic, warning: float, where: dict[str, str], moved: Export | None) -> Statistic:
    spec = replace(statistic.spec, warning=warning, warning_where=where, level_if_moved=moved)
    return replace(statistic, spec=spec)


def _score(name: str, brief: str, comparisons: tuple[Comparison, ...], moved: Export | None) -> Statistic:
    return Statistic(
        spec=MetricSpec(
            name=name,
            unit="{score}",
            brief=brief,
            layer=Layer.DATA,
            stage=Stage.WINDOW,
            orientation=Orientation.LOWER,
            level=Export.FULL,
            attributes=("feature", "method", "comparison"),
            minimum_samples=DRIFT_ROWS,
            warning=PSI_WARNING,
            warning_where={"method": "psi", "comparison": comparisons[0].value},
            level_if_moved=moved,
        ),
        compute=partial(_scores, comparisons=comparisons),
    )


FEATURE_DRIFT_LOCATION: Final = _warning(
    _effect(
        "mlvitals.feature.drift.location",
        "How far a numeric feature moved, in standard deviations of its ranks.",
        _location,
        DRIFT,
        Export.STANDARD,
    ),
    LOCATION_WARNING,
    {"comparison": Comparison.OPERATING.value},
    Export.LEAN,
)
FEATURE_DRIFT_SPREAD: Final = _effect(
    "mlvitals.feature.drift.spread",
    "How much wider a numeric feature spread, about √2 × the logarithm of the ratio of standard deviations.",
    _spread,
    DRIFT,
    Export.STANDARD,
)
FEATURE_DRIFT_SHAPE: Final = _effect(
    "mlvitals.feature.drift.shape",
    "How much a feature's distribution changed besides location and spread; of categories, how much they changed.",
    _shape,
    DRIFT,
    Export.STANDARD,
)
FEATURE_DRIFT_SCORE: Final = _score(
    "mlvitals.feature.drift.score",
    "How much a feature's distribution differs, by method: " + METHODS_IN_WORDS + PSI_BESIDE_IN_WORDS,
    DRIFT,
    Export.LEAN,
)
# What a version learned on stays as it was, so that a skew that is there stays too: it asks for no series at lean.
FEATURE_SKEW_LOCATION: Final = _warning(
    _effect(
        "mlvitals.feature.skew.location",
        "How far a numeric feature is from what the version learned on, in standard deviations of its ranks.",
        _location,
        SKEW,
        Export.STANDARD,
    ),
    LOCATION_WARNING,
    {},
    None,
)
FEATURE_SKEW_SPREAD: Final = _effect(
    "mlvitals.feature.skew.spread",
    "How much wider a numeric feature is spread than in what the version learned on.",
    _spread,
    SKEW,
    Export.FULL,
)
FEATURE_SKEW_SHAPE: Final = _effect(
    "mlvitals.feature.skew.shape",
    "How much a feature differs from what the version learned on besides location and spread.",
    _shape,
    SKEW,
    Export.FULL,
)
FEATURE_SKEW_SCORE: Final = _score(
    "mlvitals.feature.skew.score",
    "How much a feature's distribution differs from what the version learned on, by method as for drift.",
    SKEW,
    None,
)
