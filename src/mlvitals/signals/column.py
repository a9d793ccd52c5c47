"""What two summaries say of like columns: readings that features and predictions share."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from types import MappingProxyType
from typing import Final

import numpy as np

from mlvitals.signals.method import CELL_METHODS, NUMBER_METHODS, CellMethod, Method
from mlvitals.signals.pair import Difference
from mlvitals.signals.spec import Reading
from mlvitals.signals.table import Column, Match, Table, Tables
from mlvitals.windows.bins import CategoryBins, NumericBins
from mlvitals.windows.summary import Counts

_NUMERIC_SPECIALS: Final = ("missing", "non_finite", "invalid")


def cell_label(column: Column, index: int) -> str:
    """Return a cell's name: its bin's label, or the special's name.

    What has none of a category's own bins is one cell: rare values that the reference held, and those that it did not.
    """
    bins = column.bins
    if index < bins.size:
        return bins.label(index)
    if isinstance(bins, NumericBins):
        return _NUMERIC_SPECIALS[index - bins.size]
    return ("missing", " or ".join(_rest(bins)))[index - bins.size]


def _rest(bins: CategoryBins) -> Iterator[str]:
    if len(bins.values) > bins.own or not bins.closed:
        yield "other"
    if bins.closed:
        yield "unseen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """A window's counts and those of what it is compared with, vectors as the tables' columns stand in them.

    attributes: what the readings of a column against one of the references, by its index, are attributed to.
    """

    current: Counts
    references: Sequence[Counts]
    attributes: Callable[[int, Column], Mapping[str, str]]


def read_methods(
    tables: Tables,
    sides: Sides,
    cells: Sequence[CellMethod] = CELL_METHODS,
    numbers: Sequence[Method] = NUMBER_METHODS,
) -> Iterator[Reading]:
    """Yield each method's reading of every column that has rows on both sides, with the attribute `method`."""
    for table in tables.cells:
        match = table.match(sides.current, sides.references)
        if match is not None:
            for method in cells:
                yield from _readings(match, method.compute(match.pair), sides, {"method": method.name})
    for numeric in numbers:
        yield from read_numbers(numeric, tables.numbers, sides, {"method": numeric.name})


def read_numbers(
    method: Method, tables: Sequence[Table], sides: Sides, attributes: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Reading]:
    """Yield a method's reading of every numeric column that has rows on both sides, with these attributes too."""
    for table in tables:
        match = table.match(sides.current, sides.references, method.least)
        if match is not None and match.ruler is not None:
            yield from _readings(match, method.compute(match.pair, match.ruler), sides, attributes)


def read_cells(method: CellMethod, tables: Sequence[Table], sides: Sides) -> Iterator[Reading]:
    """Yield a method's reading of every column that has rows on both sides."""
    for table in tables:
        match = table.match(sides.current, sides.references)
        if match is not None:
            yield from _readings(match, method.compute(match.pair), sides, {})


def _readings(match: Match, found: Difference, sides: Sides, attributes: Mapping[str, str]) -> Iterator[Reading]:
    unknown: list[None] = [None] * len(match.columns)
    numbers = zip(
        match.references,
        match.columns,
        found.value.tolist(),
        found.noise.tolist(),
        unknown if found.lower is None else found.lower.tolist(),
        unknown if found.upper is None else found.upper.tolist(),
        match.pair.rows[:, 0].tolist(),
        match.pair.reference_rows[:, 0].tolist(),
        _evidence(match, found),
        strict=True,
    )
    for reference, column, value, noise, lower, upper, rows, reference_rows, evidence in numbers:
        if isfinite(value) and isfinite(noise):
            yield Reading(
                value=value,
                samples=int(rows),
                attributes={**sides.attributes(reference, column), **attributes},
                reference_samples=int(reference_rows),
                lower=lower,
                upper=upper,
                noise=noise,
                evidence=evidence,
            )


def _evidence(match: Match, found: Difference) -> Iterator[dict[str, float | str]]:
    told = {**found.told, "no_drift_mean": found.mean, "noise": found.noise}
    rows: list[dict[str, float | str]] = [
        dict(zip(told, values, strict=True))
        for values in zip(*(numbers.tolist() for numbers in told.values()), strict=True)
    ]
    if found.cell is None:
        return iter(rows)
    places = np.arange(len(rows)), found.cell
    culprits = zip(
        match.columns, found.cell.tolist(), match.pair.q[places].tolist(), match.pair.p[places].tolist(), strict=True
    )
    return (
        {"bin": cell_label(column, cell), "share": share, "reference_share": reference_share, **row}
        if cell >= 0
        else row
        for (column, cell, share, reference_share), row in zip(culprits, rows, strict=True)
    )
