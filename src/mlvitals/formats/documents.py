"""Reading mapped documents one by one: the slow way, which says what every mapping means."""

import json
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final

from mlvitals.events.canonical import canonical_numeral
from mlvitals.formats.csvtext import read_csv_text
from mlvitals.formats.fieldmap import FieldMap, Tests
from mlvitals.formats.jsonrows import BadRowError, check_depth
from mlvitals.formats.mapping import Scalar, comparison
from mlvitals.formats.paths import ANY, Path, position_of, spell_path
from mlvitals.formats.rows import spell

_NUMERAL: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_LONGEST_INTEGER: Final = 400  # digits; a longer one is past every double
_JSON_STARTS: Final = ("{", "[")


class Repeating(dict[str, Any]):
    """An object in which some keys stand twice, which matters only where one looks at them."""

    twice: frozenset[str] = frozenset()


class RowsOfLine(list[Any]):
    """An array whose elements belong to one row each."""


class Document:
    """One line's document, its inner texts and arrays opened as the mapping says; `count` is its number of rows."""

    def __init__(self, root: dict[str, Any], fields: FieldMap) -> None:
        self._root = root
        self._fields = fields
        self._problems: list[str] = []
        self.count = 1
        self._open_json()

    def open_rows(self) -> None:
        """Open the arrays that hold rows.

        Raises:
            BadRowError: they do not go together, or a text inside is not what the mapping says; only a request that
                failed may be so.

        """
        failed = self.first_held(self._fields.failed) is not None
        self._open_shapes()
        lengths = {len(value) for value in self._rows_of_line()}
        if len(lengths) > 1:
            told = " and ".join(map(str, sorted(lengths)))
            self._problems.append(f"the arrays of `rows` hold {told} elements")
        if self._problems and not failed:
            raise BadRowError(self._problems[0])
        self.count = max(lengths, default=1)

    def value(self, path: Path, row: int = 0) -> Any:
        """Return what stands at a path, None where nothing does."""
        value: Any = self._root
        for step in path:
            value = _into(_element(value, row), step)
            if value is None:
                return None
        return _element(value, row)

    def passes(self, tests: Tests) -> bool:
        """Tell whether all tests hold."""
        return all(any(_holds(self.value(path), one) for one in several) for path, several in tests)

    def first_held(self, tests: Tests) -> str | None:
        """Return the first test that holds, as path and value."""
        for path, several in tests:
            value = self.value(path)
            if any(_holds(value, one) for one in several):
                return spell_path(path) if value is None else f"{spell_path(path)} {spell(value)}"
        return None

    def _open_json(self) -> None:
        for path in self._fields.json:
            try:
                _replace(self._root, path, _open_text)
            except BadRowError:
                self._problems.append(f"`{spell_path(path)}` is not JSON")

    def _open_shapes(self) -> None:
        for path, names in self._fields.csv:
            self._attempt(path, partial(_lines, names=names), f"is no CSV of {len(names)} columns")
        for path, name in self._fields.keyed:
            self._attempt(path, partial(_key, name=name), "has an element without its name, or two of one")
        for path in (path for pattern in self._fields.rows for path in self._expand(pattern)):
            names = self._fields.names_at(path)
            self._attempt(path, partial(_rows, names=names), _wrong_count(names))
        for path, names in self._fields.names:
            self._attempt(path, partial(_name, names=names), _wrong_count(names))

    def _expand(self, pattern: Path) -> Iterator[Path]:
        """Yield the paths that a path with `*` stands for."""
        if ANY not in pattern:
            yield pattern
            return
        place = pattern.index(ANY)
        parent = self.value(pattern[:place])
        for name in _steps(parent, ANY):
            yield from self._expand((*pattern[:place], name, *pattern[place + 1 :]))

    def _attempt(self, path: Path, change: Callable[[Any], Any], problem: str) -> None:
        try:
            _replace(self._root, path, change)
        except _MisshapenError:
            self._problems.append(f"`{spell_path(path)}` {problem}")
            _replace(self._root, path, lambda _: None)

    def _rows_of_line(self) -> Iterator[RowsOfLine]:
        for path in self._fields.rows:
            for value in _all_at(self._root, path):
                if isinstance(value, RowsOfLine):
                    yield value


class _MisshapenError(ValueError):
    """A value is not of the shape that the mapping says."""


def parse_json(text: bytes) -> Any:
    """Parse JSON; a key that stands twice is no error before one looks at it.

    Raises:
        BadRowError: it is no JSON that we can hold.

    """
    check_depth(text)
    try:
        value = json.loads(text.decode(), object_pairs_hook=_object, parse_int=_integer)
        if b"\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise BadRowError("not UTF-8") from error
    except UnicodeEncodeError as error:
        raise BadRowError("a string is not Unicode") from error
    except ValueError as error:
        raise BadRowError("not JSON") from error
    return value


def open_texts(documents: Iterable[Any], path: Path) -> list[Any]:
    """Open the texts at a path, and return what is in them."""
    found = []
    for document in documents:
        for parent, step in _places(document, path):
            before = _into(parent, step)
            try:
                _replace(parent, (step,), _open_text)
            except BadRowError:
                continue
            value = _into(parent, step)
            if isinstance(before, list) and isinstance(value, list):
                found += [inner for inner, text in zip(value, before, strict=True) if inner is not text]
            elif value is not before:
                found.append(value)
    return found


def _open_text(value: Any) -> Any:
    """Return what is in a text that holds JSON, or in each of several; anything else as it is."""
    if isinstance(value, list):
        return [_open_text(one) if isinstance(one, str) else one for one in value]
    if isinstance(value, str) and value.lstrip(" \t\r\n").startswith(_JSON_STARTS):
        return parse_json(value.encode())
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    names = [name for name, _ in pairs]
    repeating = Repeating(value)
    repeating.twice = frozenset(name for name in value if names.count(name) > 1)
    return repeating


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)


def _into(value: Any, step: str | None) -> Any:
    if isinstance(value, dict):
        if isinstance(value, Repeating) and (step is ANY or step in value.twice):
            raise BadRowError("a key stands twice in one object")
        return value.get(step)
    if isinstance(value, list):
        position = position_of(step)
        if position is not None and -len(value) <= position < len(value):
            return value[position]
    return None


def _element(value: Any, row: int) -> Any:
    if isinstance(value, RowsOfLine):
        return value[row] if row < len(value) else None
    return value


def _all_at(root: Any, path: Path) -> Iterator[Any]:
    for parent, step in _places(root, path):
        yield _into(parent, step)


def _places(root: Any, path: Path) -> Iterator[tuple[Any, str]]:
    """Yield each container that a path leads to, with the last step into it; `*` leads to every name."""
    parents = [root]
    for step in path[:-1]:
        parents = [inner for parent in parents for one in _steps(parent, step) if (inner := _into(parent, one))]
    return ((parent, one) for parent in parents for one in _steps(parent, path[-1]))


def _steps(parent: Any, step: str | None) -> Sequence[str]:
    if step is not ANY:
        return [step]
    return list(parent) if isinstance(parent, dict) and _into(parent, step) is None else []


def _replace(root: Any, path: Path, change: Callable[[Any], Any]) -> None:
    for parent, step in _places(root, path):
        inside = parent if isinstance(parent, RowsOfLine) else [parent]
        for container in inside:
            value = _into(container, step)
            if value is None:
                continue
            if isinstance(container, dict):
                container[step] = change(value)
            else:
                container[int(step)] = change(value)


def _lines(value: Any, names: Sequence[str]) -> Any:
    if not isinstance(value, str):
        raise _MisshapenError
    rows = read_csv_text([value], names)
    if rows is None:
        raise _MisshapenError
    return rows.to_pylist()


def _key(value: Any, name: str) -> Any:
    if not isinstance(value, list):
        return value
    keyed: dict[str, Any] = {}
    for element in value:
        key = _into(element, name)
        if not isinstance(key, str) or key in keyed:
            raise _MisshapenError
        keyed[key] = element
    return keyed


def _rows(value: Any, names: Sequence[str]) -> RowsOfLine:
    if not isinstance(value, list):
        return RowsOfLine([value])
    if names and value and not any(isinstance(element, list | dict) for element in value):
        if len(value) % len(names):
            raise _MisshapenError
        return RowsOfLine(value[start : start + len(names)] for start in range(0, len(value), len(names)))
    return RowsOfLine(value)


def _name(value: Any, names: Sequence[str]) -> Any:
    if isinstance(value, RowsOfLine):
        return RowsOfLine(_name(element, names) for element in value)
    if not isinstance(value, list):
        return value
    if len(value) != len(names):
        raise _MisshapenError
    return dict(zip(names, value, strict=True))


def _wrong_count(names: Sequence[str]) -> str:
    return f"does not hold {len(names)} values for its {len(names)} names"


def _holds(value: Any, test: Scalar) -> bool:
    """Tell whether a value passes one test: `*` for anything, null for nothing, a comparison, or the value itself."""
    compared = comparison(test)
    if test is None:
        held = value is None
    elif test == "*":
        held = value not in (None, "", [], {})
    elif compared is not None and compared[0] == "!=":
        held = value is None or canonical_text_of(value) != canonical_numeral(compared[1])
    elif value is None or isinstance(value, dict | list):
        held = False
    elif compared is None:
        held = canonical_text_of(value) == canonical_text_of(test)
    else:
        number = number_of(value)
        held = number is not None and _COMPARE[compared[0]](number, float(compared[1]))
    return held


_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


def canonical_text_of(value: Any) -> str:
    """Return a scalar's canonical text: 1, 1.0, "1" and true are one."""
    return canonical_numeral(spell(value))


def number_of(value: Any) -> float | None:
    """Return a number, or the numeral in a text, as a double; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return float("inf") if value > 0 else float("-inf")
    return float(value) if isinstance(value, str) and _NUMERAL.fullmatch(value.strip()) else None
