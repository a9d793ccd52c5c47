"""Structure inside of structure: JSON and CSV in text, and arrays of named things."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mlvitals.setup.inference.columns import Column, Path, Record, columns_of, replaced, value_at, words_of
from mlvitals.setup.inference.sample import parse_record

_ROUNDS: Final = 3
_MOSTLY: Final = 0.9
_FEWEST: Final = 0.02
_LEAST_FIELDS: Final = 3
_NAME_FIELDS: Final = ("name", "key", "feature")
_BODIES: Final = ("data", "body", "payload")
_VALUE_FIELDS: Final = ("data", "value", "values")
_MOST_NAMES: Final = 5_000


@dataclass(slots=True)
class Opened:
    """Records with what was packed in them in its place, and where that was.

    json: texts that are JSON. csv: texts that are lines of values, with the number of values. keyed: arrays of objects
    that have a name each, with the field that holds it; `held`: the field of each of those objects that is its value.
    """

    records: Sequence[Record]
    json: list[Path] = field(default_factory=list)
    csv: dict[Path, int] = field(default_factory=dict)
    keyed: dict[Path, str] = field(default_factory=dict)
    held: dict[Path, str] = field(default_factory=dict)


def open_texts(records: Sequence[Record]) -> Opened:
    """Unpack texts and named things until there are none left.

    Lines of CSV become arrays of arrays, and an array of named things an object with those names.
    """
    opened = Opened(records)
    for _ in range(_ROUNDS):
        columns = list(columns_of(opened.records).values())
        texts = [column.path for column in columns if _is_json(column)]
        tables = {column.path: width for column in columns if (width := _csv_width(column, opened.records))}
        named = {column.path: fields for column in columns if (fields := _name_field(column)) is not None}
        for path in texts:
            opened.records = [_swap(record, path, _parse) for record in opened.records]
        for path in tables:
            opened.records = [_swap(record, path, _read_table) for record in opened.records]
        for path, (key, value) in named.items():
            opened.records = [_key(record, path, key, value) for record in opened.records]
            opened.keyed[path] = key
            opened.held[path] = value
        opened.json += texts
        opened.csv |= tables
        if not (texts or tables or named):
            break
    return opened


def _swap(record: Record, path: Path, read: Callable[[str], Any]) -> Record:
    found = value_at(record, path)
    if isinstance(found, list):
        return replaced(record, path, [read(one) if isinstance(one, str) else one for one in found])
    return replaced(record, path, read(found)) if isinstance(found, str) else record


def _parse(text: str) -> Any:
    try:
        value = parse_record(text.encode())
    except (ValueError, UnicodeEncodeError):
        return text
    return value if isinstance(value, dict | list) else text


def _is_json(column: Column) -> bool:
    """Tell whether texts (or arrays of them) that look like JSON are JSON, be they few among plain ones."""
    every = [text for value in column.present for text in (value if isinstance(value, list) else [value])]
    likely = [text for text in every if isinstance(text, str) and text.lstrip()[:1] in ("{", "[")]
    if len(likely) < max(1.0, _FEWEST * len(every)):
        return False
    return sum(not isinstance(_parse(text), str) for text in likely) >= _MOSTLY * len(likely)


def _read_table(text: str) -> list[list[Any]]:
    return [[_value(cell) for cell in row] for row in csv.reader(text.splitlines()) if row]


def _value(cell: str) -> Any:
    try:
        number = float(cell)
    except ValueError:
        return cell.strip() or None
    return int(cell) if cell.strip().lstrip("+-").isdigit() else number


def _csv_width(column: Column, records: Sequence[Record]) -> int:
    """Return the number of values on a line, 0 where the texts are no lines of values.

    Three and more values on each line, half of them numbers, speak for themselves; fewer must be declared beside it.
    """
    if not column.is_text or any("{" in value or "<" in value for value in column.present[:50]):
        return 0
    first = [_read_table(value) for value in column.present[:50]]
    widths = {len(row) for rows in first for row in rows}
    if len(widths) != 1:
        return 0
    width = widths.pop()
    numbers = sum(isinstance(cell, int | float) for rows in first for row in rows for cell in row)
    cells = sum(len(row) for rows in first for row in rows)
    if 2 * numbers < cells and not (column.distinct > 1 and column.path[-1] in _BODIES):
        return 0
    return width if width >= _LEAST_FIELDS or _declares_csv(records, column.path) else 0


def _declares_csv(records: Sequence[Record], path: Path) -> bool:
    for record in records[:20]:
        beside = value_at(record, path[:-1]) if path[:-1] else record
        if isinstance(beside, Mapping) and any("csv" in words_of(v) for v in beside.values() if isinstance(v, str)):
            return True
    return False


def _name_field(column: Column) -> tuple[str, str] | None:
    """Return which field of an array's objects names them and which is their value, None where they are rows."""
    arrays = [value for value in column.present if value]
    if not arrays or not all(isinstance(value, list) and isinstance(value[0], dict) for value in arrays):
        return None
    first = arrays[0][0]
    key = next((name for name in _NAME_FIELDS if isinstance(first.get(name), str)), None)
    value = next((name for name in _VALUE_FIELDS if name in first), None)
    if key is None or value is None:
        return None
    seen: dict[str, int] = {}
    for array in arrays:
        names = [str(one.get(key)) for one in array if isinstance(one, dict)]
        if len(set(names)) < len(array):
            return None
        for name in names:
            seen[name] = seen.get(name, 0) + 1
    known = sum(number >= len(arrays) / 2 for number in seen.values())
    return (key, value) if known and len(seen) <= _MOST_NAMES else None


def _key(record: Record, path: Path, key: str, value: str) -> Record:
    found = value_at(record, path)
    if not isinstance(found, list):
        return record
    return replaced(record, path, {str(one.get(key)): one.get(value) for one in found if isinstance(one, dict)})
