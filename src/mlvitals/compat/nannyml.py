"""NannyML's univariate drift and thresholds: bins of the reference, frozen, and what lies outside of them in one more.

Source: NannyML 0.13.1, drift/univariate/methods.py and thresholds.py, read and run.
"""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mlvitals.compat.column import Column, Counts, Numbers, Table, choose, columns
from mlvitals.compat.divergence import Floats, hellinger_distance, jensen_shannon_distance
from mlvitals.compat.verdict import Verdict
from mlvitals.errors import ConfigError, InputError

_LARGE_REFERENCE: Final = 10_000  # rows from which the reference is kept as bins
_MANY_BINS: Final = 10_000
_CHUNKS: Final = 10
_P_VALUE: Final = 0.05
_DEVIATIONS: Final = 3

_NUMERIC: Final = ("jensen_shannon", "hellinger", "kolmogorov_smirnov", "wasserstein")
_CATEGORICAL: Final = ("jensen_shannon", "hellinger", "l_infinity", "chi2")
_GREATEST: Final = {"kolmogorov_smirnov": 1.0}  # above which it sets no threshold


class Limits(NamedTuple):
    """Between these a value raises no alert."""

    lower: float
    upper: float


class _Answer(NamedTuple):
    value: float | None
    p_value: float | None = None


# A method that knows the reference, and the rows of both sides that it measures.
_Fitted = tuple[Callable[[npt.NDArray[np.generic]], _Answer], npt.NDArray[np.generic], npt.NDArray[np.generic]]


def drift(
    reference: Table,
    current: Table,
    *,
    method: str | None = None,
    chunk_size: int | None = None,
    categorical: Collection[str] = (),
) -> list[Verdict]:
    """Return NannyML's verdict on every column of the reference, the current table being one chunk.

    Nulls and NaN are dropped; infinities in the reference, which NannyML fails on, are refused. A column is of
    categories if it holds texts or truth values, or is in `categorical`. method: one of jensen_shannon, hellinger,
    kolmogorov_smirnov and wasserstein for numbers, jensen_shannon, hellinger, l_infinity and chi2 for categories;
    jensen_shannon without one.
    The threshold is the mean plus three standard deviations of the method over the reference's own chunks of
    `chunk_size` rows in order (about ten where it is not given); of chi2 it is p < 0.05.

    Raises:
        ConfigError: the method does not exist for a column of that kind, or the reference has no chunk of that size.
        InputError: a column cannot be compared.

    """
    rows = reference.num_rows // _CHUNKS if chunk_size is None else chunk_size
    if not 0 < rows <= reference.num_rows:
        raise ConfigError(f"a reference of {reference.num_rows} rows cannot be cut into chunks of {rows}")
    return [
        _verdict(
            column, method or "jensen_shannon", rows, is_number=column.is_number and column.name not in categorical
        )
        for column in columns(reference, current)
    ]


def performance_thresholds(values: Sequence[float], *, least: float = 0.0, greatest: float | None = 1.0) -> Limits:
    """Return the mean ∓ three standard deviations (÷ n, not n - 1) of a metric's values over the reference's chunks.

    NaN are left out. An end at or beyond `least` or `greatest` is that; without an upper bound (an error in units of
    the label) greatest is None.

    Raises:
        InputError: there is no value.

    """
    present = np.asarray(values, np.float64)
    present = present[~np.isnan(present)]
    if len(present) == 0:
        raise InputError("no reference chunk has a value: there is no threshold")
    mean, width = float(present.mean()), float(_DEVIATIONS * present.std())
    return Limits(max(mean - width, least), mean + width if greatest is None else min(mean + width, greatest))


def _verdict(column: Column, method: str, chunk_size: int, *, is_number: bool) -> Verdict:
    available, kind = (_NUMERIC, "numeric") if is_number else (_CATEGORICAL, "categorical")
    choose(column.name, method, available, kind, "NannyML")
    measure, reference, current = (
        _fitted_to_numbers(column, method) if is_number else _fitted_to_categories(column, method)
    )
    answer = measure(current)
    if method == "chi2":
        p = answer.p_value
        threshold, drifted = _P_VALUE, p is not None and p < _P_VALUE
    else:
        chunks = [measure(reference[start : start + chunk_size]) for start in range(0, len(reference), chunk_size)]
        known = [chunk.value for chunk in chunks if chunk.value is not None]
        threshold = performance_thresholds(known, greatest=_GREATEST.get(method)).upper
        drifted = answer.value is not None and answer.value > threshold
    return Verdict(
        feature=column.name,
        method=method,
        value=answer.value,
        p_value=answer.p_value,
        threshold=threshold,
        drifted=drifted,
    )


def _fitted_to_numbers(column: Column, method: str) -> _Fitted:
    reference, current = column.rows()
    there = reference[~np.isnan(reference)]
    if len(there) == 0 or np.isinf(there).any():
        raise InputError(f"column `{column.name}`: NannyML cannot bin a reference that is empty or holds infinities")
    measure = _NUMBER_METHODS[method](there)

    def answer(rows: npt.NDArray[np.generic]) -> _Answer:
        values = np.asarray(rows)[~np.isnan(rows)]
        value = measure(values) if len(values) else None
        return _Answer(value if value is not None and np.isfinite(value) else None)

    return answer, reference, current


def _fitted_to_categories(column: Column, method: str) -> _Fitted:
    tally = column.tally
    compare = _CATEGORY_METHODS[method]

    def answer(rows: npt.NDArray[np.generic]) -> _Answer:
        counts = tally.count(np.asarray(rows, np.int64))
        return compare(tally.reference, counts) if counts.any() else _Answer(None)

    return answer, tally.reference_codes, tally.current_codes


def _binned(compare: Callable[[Floats, Floats], float | None], reference: Numbers) -> Callable[[Numbers], float | None]:
    edges = np.histogram_bin_edges(reference.astype(np.float64), bins="doane")
    there = np.histogram(reference, bins=edges)[0] / len(reference)

    def measure(values: Numbers) -> float | None:
        return compare(*_with_leftover(there, np.histogram(values, bins=edges)[0] / len(values)))

    return measure


def _with_leftover(reference: Floats, current: Floats) -> tuple[Floats, Floats]:
    """Return the shares with one more cell for what lies outside of the reference's.

    It is what is missing to 1, so that a rounding error has a cell too, as NannyML's has.
    """
    leftover = 1 - current.sum()
    return (np.append(reference, 0.0), np.append(current, leftover)) if leftover > 0 else (reference, current)


def _kolmogorov_smirnov(reference: Numbers) -> Callable[[Numbers], float | None]:
    if len(reference) < _LARGE_REFERENCE:
        from scipy.stats import ks_2samp  # noqa: PLC0415  # slow to import, and only this needs it

        return lambda values: float(ks_2samp(reference, values).statistic)
    edges = np.linspace(reference.min(), reference.max(), _MANY_BINS + 1)
    there = np.cumsum(np.histogram(reference, edges)[0] / len(reference))

    def measure(values: Numbers) -> float:
        below = np.count_nonzero(values < edges[0]) / len(values)
        here = below + np.cumsum(np.histogram(values, edges)[0] / len(values))
        return float(np.abs(there - here).max())

    return measure


def _wasserstein(reference: Numbers) -> Callable[[Numbers], float | None]:
    """Return the distance in the column's own unit.

    From 10,000 rows on the sum of |F_q - F_p| over equal bins and what lies outside. A tail's distribution function has
    the range's end as one row more, which the bins inside then count too: with a value below the range F_q is 1/n too
    high everywhere.
    """
    if len(reference) < _LARGE_REFERENCE:
        from scipy.stats import wasserstein_distance  # noqa: PLC0415  # slow to import, and only this needs it

        return lambda values: float(wasserstein_distance(reference, values))
    counts, edges = np.histogram(reference, bins=_MANY_BINS)
    there = np.cumsum(counts / len(reference))

    def measure(values: Numbers) -> float:
        rows = len(values)
        lower, upper = values[values < edges[0]], values[values > edges[-1]]
        outside, phantom = 0.0, 0.0
        if len(lower):
            phantom = (len(lower) + 1) / rows
            places, below = _distribution(np.append(lower, edges[0]))
            outside += float((below[:-1] * np.diff(places)).sum()) * phantom
        if len(upper):
            places, below = _distribution(np.append(upper, edges[-1]))
            outside += float(((1 - below)[:-1] * np.diff(places)).sum()) * (len(upper) + 1) / rows
        here = np.cumsum(np.histogram(values, bins=edges)[0] / rows) + phantom
        return float((np.abs(there - here) * (edges[1] - edges[0])).sum()) + outside

    return measure


def _distribution(values: Floats) -> tuple[Floats, Floats]:
    places, counts = np.unique(values, return_counts=True)
    return places, np.cumsum(counts) / len(values)


def _own_cells(reference: Counts, current: Counts) -> tuple[Floats, Floats]:
    """Return the shares of the reference's values, those of all others in one cell more."""
    known = reference > 0
    return _with_leftover(reference[known] / reference.sum(), current[known] / current.sum())


def _category_jensen_shannon(reference: Counts, current: Counts) -> _Answer:
    return _Answer(jensen_shannon_distance(*_own_cells(reference, current), base=2))


def _category_hellinger(reference: Counts, current: Counts) -> _Answer:
    return _Answer(hellinger_distance(*_own_cells(reference, current)))


def _largest_difference(reference: Counts, current: Counts) -> _Answer:
    return _Answer(float(np.abs(reference / reference.sum() - current / current.sum()).max()))


def _chi_square(reference: Counts, current: Counts) -> _Answer:
    """Return the two-sample test, of two values with Yates' correction (scipy's default, which NannyML keeps)."""
    from scipy.stats import chi2_contingency  # noqa: PLC0415  # slow to import, and only this needs it

    there = (reference > 0) | (current > 0)
    found = chi2_contingency(np.stack([reference[there], current[there]], axis=1))
    return _Answer(float(found.statistic), float(found.pvalue))


_NUMBER_METHODS: Final[dict[str, Callable[[Numbers], Callable[[Numbers], float | None]]]] = {
    "jensen_shannon": partial(_binned, partial(jensen_shannon_distance, base=2)),
    "hellinger": partial(_binned, hellinger_distance),
    "kolmogorov_smirnov": _kolmogorov_smirnov,
    "wasserstein": _wasserstein,
}
_CATEGORY_METHODS: Final[dict[str, Callable[[Counts, Counts], _Answer]]] = {
    "jensen_shannon": _category_jensen_shannon,
    "hellinger": _category_hellinger,
    "l_infinity": _largest_difference,
    "chi2": _chi_square,
}
