"""Columns of like width side by side, so that one operation of numpy serves them all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mlvitals.signals.made_once import made_once
from mlvitals.signals.pair import Floats, Pair, make_pair
from mlvitals.windows.bins import MISSING, OTHER, SPECIALS, UNSEEN, CategoryBins, NumericBins
from mlvitals.windows.layout import Layout
from mlvitals.windows.summary import Counts

# Narrower tables would be many and save nothing.
_NARROWEST: Final = 32


class Column(NamedTuple):
    """A column to compare: its name (empty for the model's output), its bins, and where its counts begin."""

    name: str
    bins: NumericBins | CategoryBins
    start: int


class Ruler(NamedTuple):
    """Where numeric bins stand: edges (columns, bins - 1), the last repeated; shape (columns, bins) the rest.

    is_point: bins that hold a single value. is_outside: bins out of the reference's range.
    """

    edges: Floats
    is_point: npt.NDArray[np.bool_]
    is_outside: npt.NDArray[np.bool_]

    def of(self, rows: npt.NDArray[np.intp]) -> "Ruler":
        """Return the ruler of some of the columns, by index."""
        return Ruler(self.edges[rows], self.is_point[rows], self.is_outside[rows])


class Match(NamedTuple):
    """The columns of a table that can be compared, one row for each column and reference.

    columns, references: what each row is, the latter by index. pair: the counts on both sides. ruler: where the bins
    stand, of numeric ones.
    """

    columns: Sequence[Column]
    references: Sequence[int]
    pair: Pair
    ruler: Ruler | None


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns side by side.

    places: for each cell its place in a vector of counts that ends with an additional 0, shape (columns, cells); past
    a column's own cells it is that 0. sizes: shape (columns,). ruler: of numeric bins without specials.
    joins: rows, cells and the places whose counts join those cells, shape (3, joins): a category's `unseen` its
    `other`. Which rare values a reference happened to hold is chance, and another sample of the same holds others.
    """

    columns: tuple[Column, ...]
    places: npt.NDArray[np.intp]
    sizes: npt.NDArray[np.int64]
    joins: npt.NDArray[np.intp]
    ruler: Ruler | None = None

    def match(self, current: Counts, references: Sequence[Counts], least: int = 1) -> Match | None:
        """Return the columns with rows on both sides and so many cells; None where there is none.

        current, references: vectors of counts.
        """
        sides = np.stack([self._cells(side) for side in (current, *references)])
        filled = sides.sum(axis=2) > 0
        which, rows = np.nonzero(filled[0] & filled[1:] & (self.sizes >= least))
        if not len(rows):
            return None
        return Match(
            [self.columns[row] for row in rows.tolist()],
            which.tolist(),
            make_pair(sides[0][rows], sides[1:][which, rows], self.sizes[rows]),
            None if self.ruler is None else self.ruler.of(rows),
        )

    def _cells(self, side: Counts) -> Counts:
        cells = np.append(side, 0)[self.places]
        rows, joined, places = self.joins
        cells[rows, joined] += side[places]
        return cells


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """Columns in the three ways in which they are compared.

    cells: bins and specials of every column. numbers: bins of the numeric ones. categories: bins of the others with
    `other`, that is without `missing`.
    """

    cells: tuple[Table, ...]
    numbers: tuple[Table, ...]
    categories: tuple[Table, ...]


def tabulate(columns: Sequence[Column]) -> Tables:
    """Return the tables of these columns."""
    numbers = [column for column in columns if isinstance(column.bins, NumericBins)]
    others = [column for column in columns if not isinstance(column.bins, NumericBins)]
    return Tables(
        cells=_tables((column, _all_cells(column)) for column in columns),
        numbers=_tables(((column, _all_cells(column)[:-SPECIALS]) for column in numbers), ruled=True),
        categories=_tables((column, np.delete(_all_cells(column), column.bins.size + MISSING)) for column in others),
    )


def feature_section(layout: Layout) -> slice:
    """Return where the features' counts stand in `served`: one after another, in the layout's order."""
    parts = [layout.served_sections[feature.column] for feature in layout.features]
    return slice(parts[0].start, parts[-1].stop) if parts else slice(0, 0)


def _feature_tables(layout: Layout) -> Tables:
    start = feature_section(layout).start
    return tabulate(
        [
            Column(feature.name, feature.bins, layout.served_sections[feature.column].start - start)
            for feature in layout.features
            if feature.kind.drifts
        ]
    )


# The tables of a layout's features that can drift, over the counts of its `feature_section`: two layouts may have the
# same features and another output before them.
feature_tables: Final = made_once(_feature_tables)


def _all_cells(column: Column) -> npt.NDArray[np.intp]:
    every = np.arange(column.start, column.start + column.bins.size + SPECIALS, dtype=np.intp)
    return every if isinstance(column.bins, NumericBins) else np.delete(every, column.bins.size + UNSEEN)


def _tables(columns: Iterable[tuple[Column, npt.NDArray[np.intp]]], *, ruled: bool = False) -> tuple[Table, ...]:
    by_width: dict[int, list[tuple[Column, npt.NDArray[np.intp]]]] = {}
    for column, cells in columns:
        by_width.setdefault(max(_NARROWEST, 1 << (len(cells) - 1).bit_length()), []).append((column, cells))
    return tuple(_table(by_width[width], width, ruled=ruled) for width in sorted(by_width))


def _table(members: Sequence[tuple[Column, npt.NDArray[np.intp]]], width: int, *, ruled: bool) -> Table:
    places = np.full((len(members), width), -1, dtype=np.intp)
    ruler = Ruler(np.zeros((len(members), width - 1)), *np.zeros((2, len(members), width), dtype=np.bool_))
    joins = []
    for row, (column, cells) in enumerate(members):
        places[row, : len(cells)] = cells
        if isinstance(column.bins, NumericBins) and ruled:
            inner = column.bins.array
            ruler.edges[row] = inner[-1] if len(inner) else 0.0
            ruler.edges[row, : len(inner)] = inner
            ruler.is_point[row, : len(cells)] = column.bins.is_point
            ruler.is_outside[row, : len(cells)] = column.bins.is_outside
        if isinstance(column.bins, CategoryBins):
            after = column.start + column.bins.size
            joins.append((row, np.searchsorted(cells, after + OTHER), after + UNSEEN))
    return Table(
        columns=tuple(column for column, _ in members),
        places=places,
        sizes=np.array([len(cells) for _, cells in members], dtype=np.int64),
        joins=np.array(joins, dtype=np.intp).reshape(-1, 3).T,
        ruler=ruler if ruled else None,
    )
