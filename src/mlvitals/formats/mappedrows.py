"""Mapped documents to native cells, one by one: the slow and forgiving way."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from mlvitals import wire
from mlvitals.clock import format_time
from mlvitals.events.names import flatten
from mlvitals.formats.base import DecodePlan
from mlvitals.formats.documents import Document, Repeating, number_of
from mlvitals.formats.fieldmap import FieldMap, Wildcard
from mlvitals.formats.jsonrows import BadRowError, Cells, columns_of
from mlvitals.formats.paths import ANY, Path
from mlvitals.formats.rows import (
    NUMBER_FIELDS,
    TIME_FIELDS,
    TIME_RANGE,
    Failure,
    Rows,
    spell,
)
from mlvitals.formats.shape import DEEPEST
from mlvitals.formats.units import factor_of, invert, to_microseconds

HALF: Final = "half"
REQUEST: Final = "request"
RESPONSE: Final = "response"

_INTEGER: Final = re.compile(r"[+-]?\d{1,18}", re.ASCII)


class ReadLines(NamedTuple):
    """What documents were read as: rows, and how many documents are not meant for us."""

    rows: Rows
    skipped: int


def read_objects(
    objects: Sequence[Any], numbers: Sequence[int], unread: Sequence[Failure], fields: FieldMap, plan: DecodePlan
) -> ReadLines:
    """Read parsed documents one by one; they are changed by it. `unread` are lines that hold none."""
    cells: list[Cells] = []
    places: list[int] = []
    failures = [*unread]
    skipped = 0
    for value, number in zip(objects, numbers, strict=True):
        try:
            taken = take_document(value, fields)
        except BadRowError as error:
            failures.append(Failure(number, str(error)))
            continue
        skipped += not taken
        cells += taken
        places += [number] * len(taken)
    columns, wrong = columns_of(cells, plan)
    rows = Rows(columns=columns, wrong=wrong, lines=np.array(places, dtype=np.int64), failures=failures)
    return ReadLines(rows, skipped)


def take_document(root: dict[str, Any], fields: FieldMap) -> list[Cells]:
    """Return the rows of one document; none where it is not meant for us, or holds none.

    Raises:
        BadRowError: it cannot be read as the mapping says.

    """
    document = Document(root, fields)
    half = _half_of(document, fields)
    if half is None or not document.passes(fields.where):
        return []
    document.open_rows()
    error = document.first_held(fields.failed)
    rows = []
    for row in range(document.count):
        cells = Cells()
        if half:
            cells.values[HALF] = half
        if error is not None:
            cells.values[wire.ERROR] = error
        for name, paths in fields.single:
            take_single(cells, name, _first(document, paths, row, fields, name), fields)
        for prefix, wildcards in fields.wild:
            for wildcard in wildcards:
                _take_wildcard(cells, prefix, wildcard, document, row)
        for name, value in fields.constants.items():
            if name not in cells.values and name not in cells.wrong:
                take_single(cells, name, value, fields)
        rows.append(cells)
    return rows


def _half_of(document: Document, fields: FieldMap) -> str | None:
    """Return which half a line is, "" where lines are whole, None where it is neither."""
    half = fields.half
    if half is None:
        return ""
    for name, tests in ((REQUEST, half.request), (RESPONSE, half.response)):
        if tests is not None and document.passes(tests):
            return name
    return None


def _first(document: Document, paths: Sequence[Path], row: int, fields: FieldMap, name: str) -> Any:
    for path in paths:
        value = document.value(path, row)
        if value is None:
            continue
        scalar = isinstance(value, str | int | float) and not isinstance(value, bool)
        if name == wire.PREDICTION_ID and document.count > 1 and scalar and not fields.is_by_row(path):
            return f"{spell(value)}#{row}"
        return value
    return None


def take_single(cells: Cells, name: str, value: Any, fields: FieldMap) -> None:
    """Take one field's value as its field asks for, or note that it is wrong."""
    if value is None or name in cells.values:
        return
    if name == wire.ERROR:
        cells.take_error(value)
    elif name == wire.EVENT:
        cells.values[name] = value if isinstance(value, str) else "?"
    elif name in TIME_FIELDS:
        _take_time(cells, name, value, fields)
    elif name in NUMBER_FIELDS:
        _take_number(cells, name, value, fields)
    elif name == wire.PREDICTION_RANKING:
        cells.take_ranking(value)
    elif name == wire.RELEVANCE:
        cells.take_relevance(value)
    elif name.startswith(wire.PROBABILITY_PREFIX):
        _take_probability(cells, name, value)
    elif name.startswith(wire.FEATURE_PREFIX):
        _take_feature(cells, name, value, 1)
    else:
        cells.take_field(name, value)


def _take_time(cells: Cells, name: str, value: Any, fields: FieldMap) -> None:
    unit = fields.units.get(name)
    if isinstance(value, str) and unit is not None and number_of(value) is not None:
        text = value.strip()
        value = int(text) if _INTEGER.fullmatch(text) else float(text)
    if isinstance(value, str):
        cells.values[name] = value
    elif unit is None or isinstance(value, bool) or not isinstance(value, int | float):
        cells.wrong.append(name)
    else:
        micros = to_microseconds(value, unit)
        if micros is not None:
            cells.values[name] = format_time(micros)
        else:
            cells.wrong += [name, TIME_RANGE] if name == wire.TIMESTAMP else [name]


def _take_number(cells: Cells, name: str, value: Any, fields: FieldMap) -> None:
    number = number_of(value)
    if number is not None and fields.units.get(name) == "rate":
        number = invert(number)
    if number is None:
        cells.wrong.append(name)
    else:
        cells.values[name] = number * factor_of(name, fields.units.get(name))


def _take_probability(cells: Cells, name: str, value: Any) -> None:
    if name in cells.values or name in cells.wrong:
        return
    number = number_of(value)
    if number is None:
        cells.wrong.append(name)
    else:
        cells.values[name] = number


def _take_feature(cells: Cells, name: str, value: Any, depth: int) -> None:
    if isinstance(value, dict):
        cells.flatten(name, value, depth)
    elif value is not None:
        cells.values.setdefault(name, value)


def _take_wildcard(cells: Cells, prefix: str, wildcard: Wildcard, document: Document, row: int) -> None:
    """Take what stands below a wildcard, leaf by leaf, but what has a meaning of its own."""
    place = wildcard.path.index(ANY)
    before, behind = wildcard.path[:place], wildcard.path[place + 1 :]
    parent = document.value(before, row)
    names = parent if isinstance(parent, dict) else ()
    if isinstance(parent, Repeating):
        raise BadRowError("a key stands twice in one object")
    for name in names:
        path = (*before, name, *behind)
        for leaf, value in _leaves((name,), document.value(path, row), path, wildcard):
            if prefix.startswith(wire.PROBABILITY_PREFIX):
                _take_probability(cells, prefix + leaf, value)
            else:
                cells.values.setdefault(prefix + leaf, value)


def _leaves(names: Path, value: Any, path: Path, wildcard: Wildcard) -> Iterator[tuple[str, Any]]:
    if value is None or not wildcard.takes(path):
        return
    if not isinstance(value, dict):
        yield flatten(name for name in names if name is not None), value
        return
    if isinstance(value, Repeating):
        raise BadRowError("a key stands twice in one object")
    if len(names) > DEEPEST:
        raise BadRowError("the features nest too deeply")
    for name, inner in value.items():
        yield from _leaves((*names, name), inner, (*path, name), wildcard)
