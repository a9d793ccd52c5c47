"""The quality of features: shares of values that are missing, unseen, out of range, invalid or zero."""

from collections.abc import Callable, Iterator
from functools import partial
from math import sqrt
from typing import Final

import numpy as np

from mlvitals.signals.comparison import Comparison
from mlvitals.signals.proportion import wilson_interval
from mlvitals.signals.spec import Evidence, Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic
from mlvitals.windows.bins import INVALID, MISSING, NON_FINITE, UNSEEN, CategoryBins, NumericBins
from mlvitals.windows.layout import FeatureLayout
from mlvitals.windows.summary import ColumnCounts, Summary

# Two rows in a hundred more than usual. Of 100 rows that are three, as noise is added: where a share is usually below
# one in a thousand, three such rows come once in ten thousand windows.
QUALITY_WARNING: Final = 0.02
QUALITY_ROWS: Final = 100

# Zeros are values like others, and come and go with days and seasons: only a tenth of the rows is news.
ZERO_WARNING: Final = 0.1

Fault = Callable[[ColumnCounts], int | None]


def _missing(column: ColumnCounts) -> int:
    return int(column.specials[MISSING])


def _unseen(column: ColumnCounts) -> int | None:
    """Return how many values the reference did not hold, None where it held too many to know."""
    is_known = isinstance(column.bins, CategoryBins) and column.bins.closed
    return int(column.specials[UNSEEN]) if is_known else None


def _out_of_range(column: ColumnCounts) -> int | None:
    if not isinstance(column.bins, NumericBins) or column.bins.lowest is None:
        return None
    return int(column.counts[column.bins.is_outside].sum())


def _invalid(column: ColumnCounts) -> int:
    return int(column.specials[INVALID] + column.specials[NON_FINITE])


def _zero(column: ColumnCounts) -> int | None:
    """Return how many values are 0, None where 0 has no bin of its own."""
    if not isinstance(column.bins, NumericBins):
        return None
    place = int(np.searchsorted(column.bins.array, 0.0, side="right"))
    return int(column.counts[place]) if column.bins.is_point[place] else None


def _every(_feature: FeatureLayout) -> bool:
    return True


def _holds_numbers(feature: FeatureLayout) -> bool:
    return feature.holds_numbers


def _drifts(feature: FeatureLayout) -> bool:
    """Tell whether it means anything that a feature's values are not those of the reference."""
    return feature.kind.drifts


def _ratio(
    evidence: Evidence, fault: Fault, applies: Callable[[FeatureLayout], bool], *, of_all: bool
) -> Iterator[Reading]:
    """Yield a fault's share for each feature that it applies to, against what was usual.

    The usual share is that of normal production, or else of what the version learned on; of values that neither held,
    at least the share of those that the reference held once (Good, 1953, "The population frequencies of species",
    Biometrika 40); of numbers out of its range, at least 2 ÷ (N + 1), as of N + 1 rows of one source the last is as
    likely as any other to be the least or the greatest (Wilks, 1941, "Determination of sample sizes for setting
    tolerance limits", Annals of Mathematical Statistics 12). Its noise is √(p(1 - p)(1/n + 1/N)) with
    p = (usual·N + ½) ÷ (N + 1).
    """
    reference = _usual(evidence)
    for feature in evidence.current.layout.features:
        if not applies(feature):
            continue
        column = evidence.current.feature(feature)
        count, rows = fault(column), _rows(column, of_all=of_all)
        if count is None or rows == 0:
            continue
        lower, upper = wilson_interval(count, rows)
        normal = None if reference is None else reference.feature(feature)
        known = 0 if normal is None else _rows(normal, of_all=of_all)
        share = None if normal is None or known == 0 else _usual_share(normal, fault, known)
        yield Reading(
            value=count / rows,
            samples=rows,
            attributes={"feature": feature.name},
            reference_samples=known or None,
            lower=lower,
            upper=upper,
            normal=share,
            noise=None if share is None else _noise(share, rows, known),
            evidence={} if share is None else {"reference": share},
        )


def _usual(evidence: Evidence) -> Summary | None:
    operating = Comparison.OPERATING.features(evidence)
    return Comparison.TRAINING.features(evidence) if operating is None else operating


def _usual_share(column: ColumnCounts, fault: Fault, rows: int) -> float:
    least = 0.0
    if fault is _unseen and isinstance(column.bins, CategoryBins):
        least = column.bins.once / rows
    if fault is _out_of_range:
        least = 2 / (rows + 1)
    return min(1.0, max((fault(column) or 0) / rows, least))


def _rows(column: ColumnCounts, *, of_all: bool) -> int:
    return column.total if of_all else column.total - int(column.specials[MISSING])


def _noise(share: float, rows: int, reference_rows: int) -> float:
    smoothed = (share * reference_rows + 0.5) / (reference_rows + 1)
    return sqrt(smoothed * (1 - smoothed) * (1 / rows + 1 / reference_rows))


def _statistic(
    name: str,
    brief: str,
    fault: Fault,
    applies: Callable[[FeatureLayout], bool],
    *,
    of_all: bool = False,
    warning: float = QUALITY_WARNING,
) -> Statistic:
    return Statistic(
        spec=MetricSpec(
            name=name,
            unit="1",
            brief=brief,
            layer=Layer.DATA,
            stage=Stage.WINDOW,
            orientation=Orientation.LOWER,
            level=Export.STANDARD,
            attributes=("feature",),
            minimum_samples=QUALITY_ROWS,
            warning=warning,
        ),
        compute=partial(_ratio, fault=fault, applies=applies, of_all=of_all),
    )


FEATURE_MISSING_RATIO: Final = _statistic(
    "mlvitals.feature.missing.ratio",
    "Share of predictions made without a value of the feature.",
    _missing,
    _every,
    of_all=True,
)
FEATURE_UNSEEN_RATIO: Final = _statistic(
    "mlvitals.feature.unseen.ratio",
    "Share of a category's values that the reference did not hold.",
    _unseen,
    _drifts,
)
FEATURE_OUT_OF_RANGE_RATIO: Final = _statistic(
    "mlvitals.feature.out_of_range.ratio",
    "Share of a number's values (of a text's lengths) below the least or above the greatest of the reference.",
    _out_of_range,
    _drifts,
)
FEATURE_INVALID_RATIO: Final = _statistic(
    "mlvitals.feature.invalid.ratio",
    "Share of a number's values that are none: text, NaN or infinite.",
    _invalid,
    _holds_numbers,
)
FEATURE_ZERO_RATIO: Final = _statistic(
    "mlvitals.feature.zero.ratio",
    "Share of a number's values that are 0, of texts that are empty.",
    _zero,
    _drifts,
    warning=ZERO_WARNING,
)
