"""Kinds of lines: which value tells those of predictions, and which two lines belong together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mlvitals.setup.inference import words
from mlvitals.setup.inference.columns import Column, Path, Record, is_number, value_at
from mlvitals.setup.inference.roles import find_time
from mlvitals.setup.inference.words import name_points

_MOST_KINDS: Final = 30
_PAIRED: Final = 0.5
_UNIQUE: Final = 0.9
# By these names logs tell what a line is; any other column that does it as well comes after them.
_KINDS: Final = {
    "type": 5,
    "kind": 5,
    "event": 5,
    "eventtype": 5,
    "logger": 4,
    "uri": 3,
    "path": 3,
    "url": 3,
    "route": 3,
}

Test = dict[Path, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Requests and responses on two lines.

    by: the path whose value both have. request, response: what tells them. records: one for each pair, the request's
    fields before the response's. same_time: both were logged with one time, so that it tells no latency.
    """

    by: Path
    request: Test
    response: Test
    records: Sequence[Record]
    same_time: bool


def restrict(columns: Mapping[Path, Column], mask: Sequence[bool]) -> dict[Path, Column]:
    """Return the columns of some records, without those that have no value there."""
    if all(mask):
        return dict(columns)
    kept = {
        path: Column(path, [value for value, wanted in zip(column.values, mask, strict=True) if wanted])
        for path, column in columns.items()
    }
    return {path: column for path, column in kept.items() if column.present}


def find_test(columns: Iterable[Column], mask: Sequence[bool]) -> Test | None:
    """Return the path and value that the wanted records have and no other has; empty where all are wanted.

    None where no single value does it.
    """
    if all(mask):
        return {}
    best: tuple[int, int, Path, Any] | None = None
    for column in columns:
        value = _constant(column, mask)
        if value is None:
            continue
        elsewhere = any(one == value for one, wanted in zip(column.values, mask, strict=True) if not wanted)
        if elsewhere:
            continue
        rank = name_points(column, _KINDS), -len(column.path)
        if best is None or rank > best[:2]:
            best = *rank, column.path, value
    return None if best is None else {best[2]: best[3]}


def find_pairs(
    columns: Mapping[Path, Column], records: Sequence[Record], asked: Sequence[bool], answered: Sequence[bool]
) -> Pairs | None:
    """Return requests with their responses, joined by the column whose values most of both share.

    Args:
        columns: of all records.
        records: the lines.
        asked: which of them hold what a model was given.
        answered: which of them hold what it answered.

    """
    best: tuple[float, int, Column] | None = None
    for column in columns.values():
        if not column.is_scalar or (is_number(column.present[0]) and not column.is_whole):
            continue
        left = {str(value) for value, held in zip(column.values, asked, strict=True) if held and value is not None}
        right = [str(value) for value, held in zip(column.values, answered, strict=True) if held and value is not None]
        if len(left) < _UNIQUE * sum(asked) or len(set(right)) < _UNIQUE * len(right):
            continue
        shared = len(left.intersection(right)) / max(1, min(len(left), len(right)))
        rank = shared, name_points(column, words.IDENTIFIER)
        if shared >= _PAIRED and rank[1] and (best is None or rank > best[:2]):
            best = *rank, column
    if best is None:
        return None
    request, response = find_test(columns.values(), asked), find_test(columns.values(), answered)
    if request is None or response is None:
        return None
    pairs = _pair(best[2], records, asked, answered)
    joined = [unite(one, other) for one, other in pairs]
    same = _same_times(columns, pairs)
    return Pairs(by=best[2].path, request=request, response=response, records=joined, same_time=same)


def unite(over: Any, below: Any) -> Any:
    """Return two values as one: objects are united, of anything else the first that is there counts."""
    if isinstance(over, Mapping) and isinstance(below, Mapping):
        return {**below, **{key: unite(value, below.get(key)) for key, value in over.items()}}
    return below if over is None else over


def _constant(column: Column, mask: Sequence[bool]) -> Any:
    """Return the one plain value that all wanted records have, None where they differ."""
    wanted = {
        value if isinstance(value, str | int) else None for value, held in zip(column.values, mask, strict=True) if held
    }
    value = wanted.pop() if len(wanted) == 1 else None
    few = column.distinct <= _MOST_KINDS or column.unique < _PAIRED
    # `*` and signs of comparison have a meaning of their own in a test.
    odd = isinstance(value, str) and (not value or value[0] in "*<>!=")
    return None if odd or not few else value


def _pair(
    by: Column, records: Sequence[Record], asked: Sequence[bool], answered: Sequence[bool]
) -> list[tuple[Record, Record]]:
    answers = {
        str(key): record
        for key, record, held in zip(by.values, records, answered, strict=True)
        if held and key is not None
    }
    return [
        (record, answers[str(key)])
        for key, record, held in zip(by.values, records, asked, strict=True)
        if held and str(key) in answers
    ]


def _same_times(columns: Mapping[Path, Column], pairs: Sequence[tuple[Record, Record]]) -> bool:
    time = find_time(columns.values())
    if time is None:
        return True
    path = time.column.path
    differ: int = sum(value_at(one, path) != value_at(other, path) for one, other in pairs)
    return differ < _PAIRED * len(pairs)
