"""Evidently's drift: bins over both sides together, made anew for every comparison.

Source: Evidently 0.7.23, the statistical tests of its legacy package, which its current metrics call, read and run.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.special import chdtrc, ndtr

from mlvitals.compat.column import Column, Numbers, Table, choose, columns
from mlvitals.compat.divergence import Floats, jensen_shannon_distance
from mlvitals.compat.verdict import DatasetVerdict, Verdict
from mlvitals.errors import InputError

_SMALL_REFERENCE: Final = 1_000  # rows up to which it tests; above, it measures distances
_FEW_NUMBERS: Final = 5  # distinct numbers up to which they are treated as categories
_FEW_BINS: Final = 20  # distinct numbers of the reference up to which each is a bin
_FEW_INTEGERS: Final = 10  # distinct integers up to which a column is of categories
_LEAST_SCALE: Final = 0.001

_NUMERIC: Final = ("psi", "jensenshannon", "hellinger", "kl_div", "wasserstein", "ks")
_CATEGORICAL: Final = ("psi", "jensenshannon", "hellinger", "kl_div", "chisquare", "z", "g_test")
_P_VALUES: Final = {"ks": 0.05, "chisquare": 0.05, "z": 0.05, "g_test": 0.1}
_DISTANCE: Final = 0.1


class _Sides(NamedTuple):
    """A column and whether Evidently takes it for numbers."""

    column: Column
    is_number: bool


def drift(
    reference: Table, current: Table, *, method: str | None = None, categorical: Collection[str] = ()
) -> list[Verdict]:
    """Return Evidently's verdict on every column of the reference, in its order.

    Nulls, NaN and infinities are dropped first, and shares are of what is left. A column is of categories if it holds
    texts or truth values, or if it holds integers, none of them null, of which the current table has at most ten
    distinct, or if it is named in `categorical`. method: one of psi, jensenshannon, hellinger, kl_div, wasserstein
    and ks for numbers, psi, jensenshannon, hellinger, kl_div, chisquare, z and g_test for categories. Without one, by
    rows of the reference and distinct values of both sides: up to 1,000 rows ks (numbers of more than five values),
    chisquare (more than two) or z; above, wasserstein (numbers of more than five values) or jensenshannon.

    Raises:
        ConfigError: the method does not exist for a column of that kind.
        InputError: a column cannot be compared, or Evidently would take it for text (more than half of its values are
            distinct) or fail on it.

    """
    return [_verdict(column, method, categorical) for column in columns(reference, current)]


def dataset_drift(verdicts: Sequence[Verdict], share: float = 0.5) -> DatasetVerdict:
    """Return whether at least that share of the features drifted.

    Raises:
        InputError: there are no verdicts.

    """
    if not verdicts:
        raise InputError("no column to judge: a table without columns has no drift")
    drifted = sum(verdict.drifted is True for verdict in verdicts)
    found = drifted / len(verdicts)
    return DatasetVerdict(
        features=len(verdicts), drifted_features=drifted, share=found, threshold=share, drifted=found >= share
    )


def _verdict(column: Column, method: str | None, categorical: Collection[str]) -> Verdict:
    is_number = column.name not in categorical and _is_numeric(column)
    available, kind = (_NUMERIC, "numeric") if is_number else (_CATEGORICAL, "categorical")
    if method is not None:
        chosen = choose(column.name, method, available, kind, "Evidently")
    else:
        chosen = _default(column, is_number=is_number)
    value = _METHODS[chosen](_Sides(column, is_number))
    if chosen in _P_VALUES:
        threshold = _P_VALUES[chosen]
        # Only the Kolmogorov-Smirnov test counts a p-value at the threshold as drift.
        drifted = value is not None and (value < threshold or (chosen == "ks" and value == threshold))
        return Verdict(
            feature=column.name, method=chosen, value=value, p_value=value, threshold=threshold, drifted=drifted
        )
    return Verdict(
        feature=column.name,
        method=chosen,
        value=value,
        threshold=_DISTANCE,
        drifted=value is not None and value >= _DISTANCE,
    )


def _is_numeric(column: Column) -> bool:
    if not column.is_number:
        if pa.types.is_string(column.current.type):
            held = len(column.current) - column.current.null_count
            if np.count_nonzero(column.tally.current) > held / 2:
                raise InputError(
                    f"column `{column.name}`: more than half of its texts are distinct, so that Evidently takes it for "
                    "free text; name it in `categorical` to compare it as categories"
                )
        return False
    whole = pa.types.is_integer(column.current.type) and column.current.null_count == 0
    return not (whole and np.count_nonzero(column.tally.current) <= _FEW_INTEGERS)


def _default(column: Column, *, is_number: bool) -> str:
    if is_number:
        reference, current = column.finite()
        distinct = len(np.unique(np.concatenate([reference, current])))
        rows = len(reference)
    else:
        distinct = len(column.tally.texts)
        rows = int(column.tally.reference.sum())
    if is_number and distinct > _FEW_NUMBERS:
        return "ks" if rows <= _SMALL_REFERENCE else "wasserstein"
    if rows > _SMALL_REFERENCE:
        return "jensenshannon"
    return "chisquare" if distinct > 2 else "z"


def _shares(sides: _Sides) -> tuple[Floats, Floats]:
    """Return shares by Sturges' bins over both sides, or by value where the reference has at most twenty numbers."""
    if sides.is_number:
        reference, current = sides.column.finite()
        if len(np.unique(reference)) > _FEW_BINS:
            edges = np.histogram_bin_edges(np.concatenate([reference, current]), bins="sturges")
            return _binned(reference, edges), _binned(current, edges)
        values, codes = np.unique(np.concatenate([reference, current]), return_inverse=True)
        first, second = (
            np.bincount(part, minlength=len(values)) for part in (codes[: len(reference)], codes[len(reference) :])
        )
        return first / len(reference), second / len(current)
    tally = sides.column.tally
    return tally.reference / tally.reference.sum(), tally.current / tally.current.sum()


def _binned(values: Numbers, edges: npt.NDArray[np.float64]) -> Floats:
    return np.asarray(np.histogram(values, edges)[0] / len(values), np.float64)


def _filled(shares: Floats) -> Floats:
    """Return the shares with each 0 replaced, the sum left to grow: by 1e-4, or less where a share is that small."""
    least = shares[shares != 0].min()
    return np.where(shares == 0, least / 1e6 if least <= 1e-4 else 1e-4, shares)


def _psi(sides: _Sides) -> float | None:
    reference, current = map(_filled, _shares(sides))
    return float(((reference - current) * np.log(reference / current)).sum())


def _kullback_leibler(sides: _Sides) -> float | None:
    reference, current = map(_filled, _shares(sides))
    reference, current = reference / reference.sum(), current / current.sum()
    return float((reference * np.log(reference / current)).sum())


def _jensen_shannon(sides: _Sides) -> float | None:
    return jensen_shannon_distance(*_shares(sides), base=np.e)


def _hellinger(sides: _Sides) -> float | None:
    if sides.is_number:
        reference, current = sides.column.finite()
        # Over the distinct values of both sides, not over their rows: fewer bins than the other methods have.
        edges = np.histogram_bin_edges(np.unique(np.concatenate([reference, current])), bins="sturges")
        width = (edges.max() - edges.min()) / (len(edges) - 1)
        densities = [np.histogram(side, bins=edges, density=True)[0] for side in (reference, current)]
        overlap = (np.sqrt(densities[0] * densities[1]) * width).sum()
    else:
        reference_shares, shares = _shares(sides)
        overlap = np.sqrt(reference_shares * shares).sum()
    return float(np.sqrt(1 - np.clip(overlap, 0, 1)))


def _wasserstein(sides: _Sides) -> float | None:
    from scipy.stats import wasserstein_distance  # noqa: PLC0415  # slow to import, and only this needs it

    reference, current = sides.column.finite()
    return float(wasserstein_distance(reference, current)) / max(float(np.std(reference)), _LEAST_SCALE)


def _kolmogorov_smirnov(sides: _Sides) -> float | None:
    from scipy.stats import ks_2samp  # noqa: PLC0415  # slow to import, and only this needs it

    return float(ks_2samp(*sides.column.finite()).pvalue)


def _chi_square(sides: _Sides) -> float | None:
    """Return the p-value of the one-sample test, which takes the reference's shares for exact."""
    tally = sides.column.tally
    expected = tally.reference * (tally.current.sum() / tally.reference.sum())
    with np.errstate(divide="ignore"):  # a value that the reference has not: infinite, p = 0
        statistic = ((tally.current - expected) ** 2 / expected).sum()
    return _undefined_is_none(chdtrc(len(expected) - 1, statistic) if len(expected) > 1 else np.nan)


def _z(sides: _Sides) -> float | None:
    """Return the p-value of the two-sample test on the share of the value that sorts first."""
    tally = sides.column.tally
    if len(tally.texts) == 1:
        return 1.0
    rows, reference_rows = tally.current.sum(), tally.reference.sum()
    here, there = 1 - tally.current[0] / rows, 1 - tally.reference[0] / reference_rows
    pooled = (there * reference_rows + here * rows) / (rows + reference_rows)
    error = np.sqrt(pooled * (1 - pooled) * (1 / reference_rows + 1 / rows))
    return float(2 * (1 - ndtr(abs(there - here) / error)))


def _g_test(sides: _Sides) -> float | None:
    tally = sides.column.tally
    if tally.current.sum() != tally.reference.sum():
        raise InputError(
            f"column `{sides.column.name}`: Evidently's g_test compares counts as they are, and fails on "
            f"{tally.reference.sum()} rows against {tally.current.sum()}"
        )
    there = tally.current > 0
    with np.errstate(divide="ignore"):  # a value that the reference has not: infinite, p = 0
        statistic = 2 * (tally.current[there] * np.log(tally.current[there] / tally.reference[there])).sum()
    return _undefined_is_none(chdtrc(len(tally.texts) - 1, statistic) if len(tally.texts) > 1 else np.nan)


def _undefined_is_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


_METHODS: Final[dict[str, Callable[[_Sides], float | None]]] = {
    "psi": _psi,
    "jensenshannon": _jensen_shannon,
    "hellinger": _hellinger,
    "kl_div": _kullback_leibler,
    "wasserstein": _wasserstein,
    "ks": _kolmogorov_smirnov,
    "chisquare": _chi_square,
    "z": _z,
    "g_test": _g_test,
}
