"""Which part of a record holds what the model was given."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mlvitals.events.names import flatten
from mlvitals.setup.inference import words
from mlvitals.setup.inference.columns import Column, Path, under, words_of
from mlvitals.setup.inference.roles import epoch_unit, is_time

_LEAST: Final = 4.0
_HALF: Final = 0.5
_OWN_NAME: Final = 7
_MOSTLY: Final = 0.95
_PREFIXES: Final = ("feature", "features", "feat", "input", "inputs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """The features found.

    path: what holds them, () where they stand among everything else. columns: scalars, whether they vary or
    not. names: in a flat record, each feature's name and its path. vectors: arrays beside them, left out. how: they
    were found.
    """

    path: Path
    columns: Sequence[Column]
    how: str = ""
    names: Mapping[str, Path] = field(default_factory=dict)
    vectors: Sequence[Column] = ()

    @property
    def why(self) -> str:
        """Why these are the features, for a person."""
        varying = sum(column.distinct > 1 for column in self.columns)
        return self.how or f"holds {len(self.columns)} fields, {varying} of which vary"


def find_containers(columns: Mapping[Path, Column]) -> list[Container]:
    """Return the objects with fields that vary, the likeliest first; none that is about the program or the answer.

    Its name counts as well as its size: `features` is taken before whatever holds it.
    """
    varying = {}
    for path in _objects(columns):
        inside = under(columns.values(), path)
        number = sum(column.is_scalar and column.distinct > 1 and not _is_about(column, path) for column in inside)
        if number and not any(_is_other(level) for level in path):
            varying[path] = number
    bids = []
    for path, number in varying.items():
        bid = _named(path) + min(5.0, math.log2(1 + number))
        if bid >= _LEAST and not _is_wrapper(path, varying):
            bids.append((bid, len(path), path))
    return [_container(columns, path) for *_, path in sorted(bids, key=lambda one: (-one[0], -one[1]))]


def _named(path: Path) -> int:
    return words.points(words_of(path[-1]), words.FEATURES)


def _is_wrapper(path: Path, varying: Mapping[Path, int]) -> bool:
    """Tell whether one object inside holds all that varies here, and is as much called one of features as this is."""
    return any(
        len(inner) > len(path)
        and inner[: len(path)] == path
        and varying[inner] == varying[path]
        and (_named(inner) > 0 or _named(path) < _OWN_NAME)
        for inner in varying
    )


def _container(columns: Mapping[Path, Column], path: Path) -> Container:
    inside = under(columns.values(), path)
    scalars = [column for column in inside if column.is_scalar]
    return Container(
        path=path,
        columns=scalars,
        vectors=[column for column in inside if not column.is_scalar],
    )


def find_flat(columns: Iterable[Column]) -> Container | None:
    """Return the features of records that hold everything side by side: what nothing else explains.

    Where several columns start with a word like `feature_`, only those, without it.
    """
    left = [
        column
        for column in columns
        if not words.is_surrounding(column) and not is_moment(column) and not _is_key(column)
    ]
    prefixed = [column for column in left if len(column.words) > 1 and column.words[0] in _PREFIXES]
    if len(prefixed) > 1:
        names = {_strip(column): column.path for column in prefixed}
        left, why = prefixed, "their names start alike"
    else:
        names = {column.name: column.path for column in left}
        why = "the columns that nothing else explains"
    scalars = [column for column in left if column.is_scalar]
    if not any(column.distinct > 1 for column in scalars):
        return None
    kept = {column.path for column in scalars}
    vectors = [column for column in left if not column.is_scalar]
    named = {name: path for name, path in names.items() if path in kept}
    return Container(path=(), columns=scalars, how=why, names=named, vectors=vectors)


def is_moment(column: Column) -> bool:
    """Tell whether a column holds times."""
    return is_time(column) or (epoch_unit(column) is not None and bool(words.points(column.words, words.TIME)))


def _is_key(column: Column) -> bool:
    """Tell whether a column is a name of its row, or says the same of every row."""
    named = words.points(column.words, words.IDENTIFIER)
    return bool(named and column.unique > _MOSTLY) or (column.is_text and column.distinct == 1)


def rows_of(container: Container) -> list[bool]:
    """Return which records hold the features: at least half of those that the typical record has."""
    held = [sum(value is not None for value in row) for row in zip(*(c.values for c in container.columns), strict=True)]
    some = sorted(number for number in held if number)
    typical = some[len(some) // 2] if some else 1
    return [number >= max(1, _HALF * typical) for number in held]


def _objects(columns: Mapping[Path, Column]) -> list[Path]:
    return list(dict.fromkeys(path[:depth] for path in columns for depth in range(1, len(path))))


def _is_other(level: str) -> bool:
    parts = words_of(level)
    return any(part in words.SURROUNDINGS or part in words.ANSWERS for part in parts)


def _is_about(column: Column, path: Path) -> bool:
    return any(_is_other(level) for level in column.path[len(path) : -1]) or bool(
        column.unique > _MOSTLY and words.points(column.words, words.IDENTIFIER)
    )


def _strip(column: Column) -> str:
    name = column.path[-1]
    first = column.words[0]
    start = name.lower().find(first) + len(first)
    return flatten((name[start:].lstrip("_-. :/") or name,))
