"""Arrays in records: which of them have an element for each row, which are a row themselves, which are a value."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from mlvitals.setup.inference import words
from mlvitals.setup.inference.columns import Path, Record, words_of
from mlvitals.setup.inference.words import points

_MOSTLY: Final = 0.99
_CLOSE: Final = 0.02
_COLUMNS: Final = ("columns", "feature_names", "names", "fields")
_MOST_POSITIONS: Final = 10_000


class Use(StrEnum):
    """What an array is.

    rows: an element for each row. only: always one element. positions: a row, its fields by position. value: left as
    it is.
    """

    ROWS = "rows"
    ONLY = "only"
    POSITIONS = "positions"
    VALUE = "value"


@dataclass(slots=True)
class Array:
    """One path's arrays: by record their lengths, and a few of them."""

    path: Path
    lengths: dict[int, int] = field(default_factory=dict)
    some: list[list[Any]] = field(default_factory=list)

    @property
    def width(self) -> int:
        """The one length that all have, 0 where they differ."""
        lengths = set(self.lengths.values())
        return lengths.pop() if len(lengths) == 1 else 0

    @property
    def holds(self) -> type:
        """The type of the elements: dict, list or object for scalars."""
        kinds = {type(element) for array in self.some for element in array if element is not None}
        return next(iter(kinds)) if kinds in ({dict}, {list}) else object

    def in_step(self, other: "Array") -> bool:
        """Tell whether this array has as many elements as another, wherever both are."""
        both = self.lengths.keys() & other.lengths.keys()
        return bool(both) and sum(self.lengths[i] == other.lengths[i] for i in both) >= _MOSTLY * len(both)

    @property
    def sums_to_one(self) -> bool:
        """Whether the elements are the shares of a whole."""
        return self.width > 1 and all(
            all(isinstance(one, int | float) and 0 <= one <= 1 for one in array) and abs(sum(array) - 1) < _CLOSE
            for array in self.some
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Peeked:
    """Records with each array of rows replaced by its first row, and positions by names.

    uses: what each array is. positions: the names of a row's values, where a row is an array. uneven: arrays that look
    like answers, but have not as many elements as what was asked.
    """

    records: Sequence[Record]
    uses: Mapping[Path, Use]
    positions: Mapping[Path, Sequence[str]]
    uneven: Sequence[Path] = ()


def peek(
    records: Sequence[Record],
    *,
    names: Sequence[str] = (),
    tables: Collection[Path] = (),
    halves: bool = False,
    anywhere: bool = False,
) -> Peeked:
    """Decide what each array is, and look at the first row of those that hold rows.

    Args:
        records: with texts opened.
        names: of the features, where their number fits, perhaps behind one of the label; else they are f0, f1, …
        tables: arrays that were lines of text, each a row.
        halves: answers may stand in other records than what was asked, so that their lengths cannot be compared.
        anywhere: where no array of objects is called one of rows, the shallowest is one.

    """
    arrays: dict[Path, Array] = {}
    for index, record in enumerate(records):
        for path, value in _arrays(record):
            one = arrays.setdefault(path, Array(path))
            one.lengths[index] = len(value)
            if len(one.some) < 50:
                one.some.append(value)
    anchor = _anchor(list(arrays.values()))
    if anchor is None and anywhere:
        anchor = min((one for one in arrays.values() if one.holds is dict), key=lambda one: len(one.path), default=None)
    uses, uneven = {}, []
    for path, array in arrays.items():
        uses[path] = Use.ROWS if path in tables else _use(array, anchor, halves=halves)
        if (
            uses[path] is Use.ROWS
            and anchor is not None
            and not (array is anchor or array.in_step(anchor))
            and not halves
        ):
            uneven.append(path)
    widths = {path: _width(array, uses[path]) for path, array in arrays.items()}
    positions = {
        path: _names_beside(path, width, arrays) or _names(path, width, names)
        for path, width in widths.items()
        if width
    }
    looked = [_look(record, (), uses, positions) for record in records]
    return Peeked(records=looked, uses=uses, positions=positions, uneven=uneven)


def _names_beside(path: Path, width: int, arrays: Mapping[Path, Array]) -> list[str]:
    """Return the names that stand in an array beside the rows, the same on every line."""
    for name in _COLUMNS:
        beside = arrays.get((*path[:-1], name))
        if beside is not None and beside.width == width and len(set(map(repr, beside.some))) == 1:
            return [str(one) for one in beside.some[0]]
    return []


def _names(path: Path, width: int, names: Sequence[str]) -> list[str]:
    if _answers(path):
        return [f"output{index}" for index in range(width)]
    if len(names) == width + 1:
        return list(names[1:])  # training files that lead with the label, as SageMaker's algorithms want them
    return list(names) if len(names) == width else [f"f{index}" for index in range(width)]


def _arrays(value: Any, path: Path = ()) -> Iterator[tuple[Path, list[Any]]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _arrays(inner, (*path, str(key)))
    elif isinstance(value, list) and path and value:
        yield path, value
        if isinstance(value[0], Mapping):
            yield from _arrays(value[0], path)


def _asks(path: Path) -> int:
    return max(points(words_of(level), words.FEATURES) for level in path[-2:])


def _answers(path: Path) -> bool:
    return any(word in words.ANSWERS for level in path for word in words_of(level))


def _anchor(arrays: Sequence[Array]) -> Array | None:
    """Return the array whose elements are the rows that were asked about."""
    able = [one for one in arrays if one.holds is not object and _asks(one.path) and not _answers(one.path)]
    able = able or [one for one in arrays if _asks(one.path) and not one.width and not _answers(one.path)]
    return max(able, key=lambda one: _asks(one.path), default=None)


def _use(array: Array, anchor: Array | None, *, halves: bool) -> Use:
    if array is anchor:
        return Use.ROWS
    in_step = anchor is not None and array.in_step(anchor)
    return (
        _use_of_answer(array, in_step=in_step, halves=halves) if _answers(array.path) else _use_of_other(array, in_step)
    )


def _use_of_answer(array: Array, *, in_step: bool, halves: bool) -> Use:
    if in_step:
        return Use.ROWS
    if array.sums_to_one and array.holds is object:
        return Use.POSITIONS
    if array.width == 1 and not halves:
        return Use.ONLY
    return Use.ROWS if halves or array.holds is not object else Use.VALUE


def _use_of_other(array: Array, in_step: bool) -> Use:  # noqa: FBT001  # what its name says
    if in_step and _asks(array.path):
        return Use.ROWS
    # An array among named features is a feature itself.
    asks = points(words_of(array.path[-1]), words.FEATURES)
    if asks and array.holds is object and 1 < array.width <= _MOST_POSITIONS:
        return Use.POSITIONS
    return Use.VALUE


def _width(array: Array, use: Use) -> int:
    """Return how many positions a row has, 0 where it has none."""
    if use is Use.POSITIONS:
        return array.width
    inner = {len(row) for rows in array.some for row in rows if isinstance(row, list)}
    return inner.pop() if use in {Use.ROWS, Use.ONLY} and len(inner) == 1 else 0


def _look(value: Any, path: Path, uses: Mapping[Path, Use], positions: Mapping[Path, Sequence[str]]) -> Any:
    if isinstance(value, Mapping):
        return {key: _look(inner, (*path, str(key)), uses, positions) for key, inner in value.items()}
    if not isinstance(value, list) or not value or path not in uses or uses[path] is Use.VALUE:
        return value
    row = value if uses[path] is Use.POSITIONS else value[0]
    if isinstance(row, list):
        return dict(zip(positions[path], row, strict=False)) if path in positions else row
    return _look(row, path, uses, positions)
