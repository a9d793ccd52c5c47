"""A column's counts as streams: how far it moved, whether it spread, whether its shape changed, and its rates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.decisions.finding import Source
from mlvitals.decisions.streams import ANGLE, DEVIATIONS, EFFECT, Stream, Streams, Values
from mlvitals.signals.location import normal_scores, smoothed_shares
from mlvitals.signals.pair import make_pair
from mlvitals.signals.spread import SPREAD_BINS, spread_scores
from mlvitals.windows.bins import MISSING, OTHER, SPECIALS, UNSEEN, CategoryBins, NumericBins
from mlvitals.windows.summary import Counts

Floats = npt.NDArray[np.float64]

_WEIGHTS: Final = {"location": 0.4, "spread": 0.15, "shape": 0.15, "rates": 0.3}
# Rows that a cell of a shape must expect in a window: from ten on its count is normal enough.
_EXPECTED: Final = 10.0
# Rows in a window, per unit of the scores' fourth moment: the mean's own excess kurtosis is then below a half.
_ROWS_PER_KURTOSIS: Final = 2.0
_HEAVY: Final = 0.5
_UNSEEN: Final = "unseen"
_SHARE: Final = "share"
# Rows that a category's share must expect in a window to be watched by itself.
_LEAST_SHARE: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A column to watch: whose it is, its bins, and its counts in the reference, specials at their end.

    distribution: whether its values mean anything; else only whether they are there is watched. typical: rows of a
    typical window.
    """

    source: Source
    bins: NumericBins | CategoryBins
    reference: Counts
    distribution: bool
    typical: float


@dataclass(frozen=True, slots=True, eq=False)
class _Column:
    """How one column is read: scores of its cells, shape (width, effects) and (width, directions), and rates.

    own: the cells that hold values. rates: component, cells that count, cells that are counted among.
    """

    effects: tuple[str, ...]
    scores: Floats
    directions: Floats
    own: npt.NDArray[np.bool_]
    rates: tuple[tuple[str, Floats, Floats], ...]


def column_streams(columns: Sequence[Watched]) -> Streams:
    """Return the streams of columns whose counts stand side by side."""
    read = [_column(one) for one in columns]
    weights = [_weights(one) for one in read]
    pairs = list(zip(columns, read, weights, strict=True))
    return Streams(
        effects=tuple(
            Stream(source=one.source, component=name, weight=weight[name], unit=_unit(name))
            for one, column, weight in pairs
            for name in column.effects
        ),
        shapes=tuple(
            Stream(source=one.source, component="shape", weight=weight["shape"], unit=EFFECT)
            for one, column, weight in pairs
            if column.directions.shape[1]
        ),
        directions=tuple(column.directions.shape[1] for column in read if column.directions.shape[1]),
        rates=tuple(
            Stream(
                source=one.source,
                component=name,
                weight=weight[name],
                unit=ANGLE,
                hidden=_not_yet_seen(one) if name == _UNSEEN else 0.0,
            )
            for one, column, weight in pairs
            for name, _, _ in column.rates
        ),
        read=_Reader(read),
    )


def _unit(component: str) -> str:
    return DEVIATIONS if component == "location" else EFFECT


class _Reader:
    """Reads the counts of all columns at once: a product with one matrix each for sums and for scores."""

    def __init__(self, columns: Sequence[_Column]) -> None:
        widths = [len(column.own) for column in columns]
        starts = np.cumsum([0, *widths])
        total = int(starts[-1])
        effects = [column.scores.shape[1] for column in columns]
        directions = [column.directions.shape[1] for column in columns]
        rates = [len(column.rates) for column in columns]
        self._owner = np.repeat(np.arange(len(columns)), effects), np.repeat(np.arange(len(columns)), directions)
        self._own = np.zeros((total, len(columns)))
        self._scores = np.zeros((total, sum(effects)))
        self._directions = np.zeros((total, sum(directions)))
        self._hits, self._rows = np.zeros((2, total, sum(rates)))
        at = [0, 0, 0]
        for place, column in enumerate(columns):
            rows = slice(starts[place], starts[place + 1])
            self._own[rows, place] = column.own
            self._scores[rows, at[0] : at[0] + effects[place]] = column.scores
            self._directions[rows, at[1] : at[1] + directions[place]] = column.directions
            for offset, (_, hits, among) in enumerate(column.rates):
                self._hits[rows, at[2] + offset] = hits
                self._rows[rows, at[2] + offset] = among
            at = [at[0] + effects[place], at[1] + directions[place], at[2] + rates[place]]

    def __call__(self, counts: Floats) -> Values:
        """Return what windows say, counts of shape (windows, cells)."""
        rows = counts @ self._own
        inverse = np.divide(1.0, rows, out=np.full_like(rows, np.nan), where=rows > 0)
        sampling = np.concatenate([inverse[:, owner] for owner in self._owner], axis=1)
        sums = np.concatenate([counts @ self._scores, counts @ self._directions], axis=1)
        return Values(sums * sampling, sampling, counts @ self._hits, counts @ self._rows)


def _column(one: Watched) -> _Column:
    width = one.bins.size + SPECIALS
    own = np.zeros(width, dtype=np.bool_)
    own[: one.bins.size] = one.distribution
    if isinstance(one.bins, CategoryBins):
        own[one.bins.size + OTHER] = own[one.bins.size + UNSEEN] = one.distribution
    reference = np.where(own, one.reference, 0)
    none = np.zeros((width, 0))
    effects: tuple[str, ...] = ()
    scores, directions = none, none
    if reference.sum() > 0:
        if isinstance(one.bins, NumericBins):
            effects, scores, basis = _numeric_scores(one, reference[: one.bins.size])
            scores = np.vstack([scores, np.zeros((SPECIALS, scores.shape[1]))])
        else:
            basis = none
        directions = _shape(one, reference, own, basis)
    rates = _rates(one, own)
    if isinstance(one.bins, CategoryBins) and not directions.shape[1]:
        rates += _shares(one, own, reference)
    return _Column(effects, scores, directions, own, tuple(rates))


def _numeric_scores(one: Watched, reference: Counts) -> tuple[tuple[str, ...], Floats, Floats]:
    """Return the effects that are normal at this size of window, their scores, and the scores a shape must not hold."""
    pair = make_pair(reference[None, :], reference[None, :])
    shares = smoothed_shares(pair)
    if one.bins.size < SPREAD_BINS:
        return (), np.zeros((one.bins.size, 0)), np.zeros((one.bins.size + SPECIALS, 0))
    linear = normal_scores(pair)
    square = spread_scores(linear, shares)
    every = np.vstack([linear, square]).T
    kurtosis = (shares[0][:, None] * every**4).sum(axis=0)
    normal = np.isfinite(kurtosis) & (kurtosis * _ROWS_PER_KURTOSIS <= one.typical)
    kept = every[:, normal]
    names = tuple(name for name, there in zip(("location", "spread"), normal, strict=True) if there)
    basis = np.vstack([np.nan_to_num(every), np.zeros((SPECIALS, 2))])
    return names, kept, basis


def _shape(one: Watched, reference: Counts, own: npt.NDArray[np.bool_], basis: Floats) -> Floats:
    """Return scores of orthonormal directions over cells that expect enough rows, besides those of the basis."""
    shares = np.where(own, (reference + 0.5), 0.0)
    shares /= shares.sum()
    groups = _groups(shares * one.typical, own, ordered=isinstance(one.bins, NumericBins))
    count = int(groups.max(initial=-1)) + 1
    known = 1 + basis.shape[1]
    if count <= known:
        return np.zeros((len(own), 0))
    mass = np.bincount(groups[own], shares[own], count)
    means = [np.bincount(groups[own], (shares * column)[own], count) / mass for column in basis.T]
    fixed = np.sqrt(mass)[:, None] * np.column_stack([np.ones(count), *means])
    complement = np.linalg.qr(fixed, mode="complete")[0][:, known:]
    scores = complement / np.sqrt(mass)[:, None]
    return np.where(own[:, None], scores[groups], 0.0)


def _groups(expected: Floats, own: npt.NDArray[np.bool_], *, ordered: bool) -> npt.NDArray[np.intp]:
    """Return for each cell the group it counts in, so that each expects enough: neighbours, or the rare together."""
    groups = np.zeros(len(own), dtype=np.intp)
    if not ordered:
        common = own & (expected >= _EXPECTED)
        groups[common] = np.arange(common.sum())
        rest = own & ~common
        groups[rest] = common.sum() if expected[rest].sum() >= _EXPECTED else max(int(common.sum()) - 1, 0)
        return groups
    held, group = 0.0, 0
    cells = np.flatnonzero(own)
    for cell in cells:
        if held >= _EXPECTED and expected[cell:][own[cell:]].sum() >= _EXPECTED:
            held, group = 0.0, group + 1
        groups[cell] = group
        held += float(expected[cell])
    return groups


def _rates(one: Watched, own: npt.NDArray[np.bool_]) -> list[tuple[str, Floats, Floats]]:
    width, size = len(own), one.bins.size
    every = np.ones(width)
    values = own.astype(np.float64)

    def at(*places: int) -> Floats:
        chosen = np.zeros(width)
        chosen[list(places)] = 1.0
        return chosen

    rates = [("missing", at(size + MISSING), every)]
    if isinstance(one.bins, CategoryBins):
        if one.distribution and one.bins.closed:
            rates.append((_UNSEEN, at(size + UNSEEN), values))
        return rates
    rates.append(("invalid", at(size + 1, size + 2), every))
    if not one.distribution:
        return rates
    outside = np.flatnonzero(one.bins.is_outside).tolist()
    if outside:
        rates.append(("out_of_range", at(*outside), values))
    shares = np.where(own, one.reference, 0) / max(int(one.reference[own].sum()), 1)
    heaviest = int(shares.argmax())
    if shares[heaviest] >= _HEAVY:
        is_zero = one.bins.label(heaviest) == "= 0"
        rates.append(("zero" if is_zero else "heaviest", at(heaviest), values))
    return rates


def _shares(one: Watched, own: npt.NDArray[np.bool_], reference: Counts) -> list[tuple[str, Floats, Floats]]:
    """Return the share of each category, where windows have too few rows for directions of a shape to be normal.

    The counts of categories are then taken exactly, one by one: each is beta-binomial (see `rates`).
    """
    expected = one.typical * reference / max(int(reference.sum()), 1)
    cells = np.flatnonzero(own & (expected >= _LEAST_SHARE) & (reference < reference.sum()))
    return [
        (_SHARE, np.asarray(np.arange(len(own)) == cell, dtype=np.float64), own.astype(np.float64)) for cell in cells
    ]


def _not_yet_seen(one: Watched) -> float:
    """Return how likely a row's value is to be none that the reference held, though nothing moved.

    The reference holds none such of its own, so its windows say nothing of it. As many rows as it held values once
    stand for those that it might as well not have held. Source: Good (1953), "The population frequencies of species and
    the estimation of population parameters", Biometrika 40, equation 9 (Turing's).
    """
    assert isinstance(one.bins, CategoryBins)  # noqa: S101  # asked for by the caller
    values = one.reference[: one.bins.size].sum() + one.reference[one.bins.size + OTHER]
    return min(one.bins.once / max(int(values), 1), 1.0)


def _weights(column: _Column) -> dict[str, float]:
    """Return how much each component counts; shares of categories stand in for the shape."""
    shares = sum(name == _SHARE for name, _, _ in column.rates)
    plain = [name for name, _, _ in column.rates if name != _SHARE]
    there = [
        *column.effects,
        *(["shape"] if column.directions.shape[1] or shares else []),
        *(["rates"] if plain else []),
    ]
    total = sum(_WEIGHTS[name] for name in there)
    weights = {name: _WEIGHTS[name] / total for name in there}
    weights |= {name: weights["rates"] / len(plain) for name in plain}
    return weights | ({_SHARE: weights["shape"] / shares} if shares else {})
