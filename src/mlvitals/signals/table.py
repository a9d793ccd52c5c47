"""Columns of like width side by side, so that one operation of numpy serves them all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mlvitals.signals.made_once import made_once
from mlvitals.signals.pair import Floats, Pair, make_pair
from mlvitals.windows.layout import MISSING, SPECIALS, CategoryBins, Layout, NumericBins
from mlvitals.windows.summary import Counts

# Narrower tables would be many and save nothing.
_NARROWEST: Final = 32


class Column(NamedTuple):
    """A column to compare: its name (empty for the model's output), its bins, and where its counts begin."""

    name: str
    bins: NumericBins | CategoryBins
    start: int


class Ruler(NamedTuple):
    """Where numeric bins stand: edges (columns, bins - 1), the last repeated; which are points (columns, bins)."""

    edges: Floats
    is_point: npt.NDArray[np.bool_]


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
    """

    columns: tuple[Column, ...]
    places: npt.NDArray[np.intp]
    sizes: npt.NDArray[np.int64]
    ruler: Ruler | None = None

    def match(self, current: Counts, references: Sequence[Counts], least: int = 1) -> Match | None:
        """Return the columns with rows on both sides and so many cells; None where there is none.

        current, references: vectors of counts.
        """
        sides = np.stack([np.append(side, 0)[self.places] for side in (current, *references)])
        filled = sides.sum(axis=2) > 0
        which, rows = np.nonzero(filled[0] & filled[1:] & (self.sizes >= least))
        if not len(rows):
            return None
        return Match(
            [self.columns[row] for row in rows.tolist()],
            which.tolist(),
            make_pair(sides[0][rows], sides[1:][which, rows], self.sizes[rows]),
            None if self.ruler is None else Ruler(self.ruler.edges[rows], self.ruler.is_point[rows]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """Columns in the three ways in which they are compared.

    cells: bins and specials of every column. numbers: bins of the numeric ones. categories: bins of the others with
    `other` and `unseen`, that is without `missing`.
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
    return np.arange(column.start, column.start + column.bins.size + SPECIALS, dtype=np.intp)


def _tables(columns: Iterable[tuple[Column, npt.NDArray[np.intp]]], *, ruled: bool = False) -> tuple[Table, ...]:
    by_width: dict[int, list[tuple[Column, npt.NDArray[np.intp]]]] = {}
    for column, cells in columns:
        by_width.setdefault(max(_NARROWEST, 1 << (len(cells) - 1).bit_length()), []).append((column, cells))
    return tuple(_table(by_width[width], width, ruled=ruled) for width in sorted(by_width))


def _table(members: Sequence[tuple[Column, npt.NDArray[np.intp]]], width: int, *, ruled: bool) -> Table:
    places = np.full((len(members), width), -1, dtype=np.intp)
    edges, is_point = np.zeros((len(members), width - 1)), np.zeros((len(members), width), dtype=np.bool_)
    for row, (column, cells) in enumerate(members):
        places[row, : len(cells)] = cells
        if isinstance(column.bins, NumericBins) and ruled:
            inner = column.bins.array
            edges[row] = inner[-1] if len(inner) else 0.0
            edges[row, : len(inner)] = inner
            is_point[row, : len(cells)] = column.bins.is_point
    return Table(
        columns=tuple(column for column, _ in members),
        places=places,
        sizes=np.array([len(cells) for _, cells in members], dtype=np.int64),
        ruler=Ruler(edges, is_point) if ruled else None,
    )
