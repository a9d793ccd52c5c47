"""JSON events row by row: the slow and forgiving way, for the few lines that the fast one refuses."""

import json
import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlvitals import wire
from mlvitals.events.canonical import canonical_numeral
from mlvitals.events.names import escape
from mlvitals.events.rankings import IDS, MOST_RANKED, spell_relevance
from mlvitals.formats.base import DecodePlan, Want
from mlvitals.formats.lines import UNENDING
from mlvitals.formats.rows import (
    INT64,
    NAME_FIELDS,
    NUMBER_FIELDS,
    SCALAR_FIELDS,
    TIME_FIELDS,
    Failure,
    Mask,
    Rows,
    spell,
    to_float,
)
from mlvitals.formats.shape import DEEPEST

# Python's own reader stops at its recursion limit, which depends on the caller; ours must not.
DEEPEST_JSON: Final = 2 * DEEPEST
_JSON_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


class BadRowError(ValueError):
    """A line is no JSON object that we can hold; the message never quotes it."""


def parse_line(line: bytes) -> dict[str, Any]:
    """Parse one line.

    Raises:
        BadRowError: with the reason.

    """
    if line == UNENDING:
        raise BadRowError("the line is too long")
    check_depth(line)
    try:
        value = json.loads(line.decode(), object_pairs_hook=_object)
        if b"\\u" in line:
            # An escaped half of a surrogate pair is valid JSON, but no text.
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise BadRowError("not UTF-8") from error
    except UnicodeEncodeError as error:
        raise BadRowError("a string is not Unicode") from error
    except BadRowError:
        raise
    except ValueError as error:
        raise BadRowError("not JSON") from error
    if not isinstance(value, dict):
        raise BadRowError("not a JSON object")
    return value


def read_rows(lines: Sequence[bytes], numbers: npt.NDArray[np.int64], plan: DecodePlan) -> tuple[Rows, list[Any]]:
    """Read lines one by one; return the rows, and the objects behind them to learn from."""
    failures, objects, good = [], [], []
    for line, number in zip(lines, numbers.tolist(), strict=True):
        try:
            value = parse_line(line)
            cells = Cells()
            cells.take(value, plan)
        except BadRowError as error:
            failures.append(Failure(number, str(error)))
            continue
        objects.append((value, cells))
        good.append(number)
    columns, wrong = columns_of([cells for _, cells in objects], plan)
    rows = Rows(columns=columns, wrong=wrong, lines=np.array(good, dtype=np.int64), failures=failures)
    return rows, [value for value, _ in objects]


class Cells:
    """One row's cells by flattened name, and the names whose value has a type that the field cannot have."""

    __slots__ = ("values", "wrong")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.wrong: list[str] = []

    def take(self, row: dict[str, Any], plan: DecodePlan) -> None:
        """Take a native event."""
        for name, value in row.items():
            if value is None or "." in name:  # a key with a dot is none of ours, though flattened names hold dots
                continue
            if name == wire.FEATURES:
                self._take_features(value)
            elif name == wire.PREDICTION:
                self._take_prediction(value, plan)
            elif name == wire.ERROR:
                self.take_error(value)
            elif name == wire.EVENT:
                self.values[name] = value if isinstance(value, str) else "?"
            elif name == wire.RELEVANCE and plan.rankings:
                self.take_relevance(value)
            else:
                self.take_field(name, value)

    def _take_features(self, value: object) -> None:
        if isinstance(value, dict):
            self.flatten(wire.FEATURES, value, 1)
        else:
            self.wrong.append(wire.FEATURES)

    def flatten(self, prefix: str, value: dict[str, Any], depth: int) -> None:
        """Take the leaves of a nested object as cells under their flattened names.

        Raises:
            BadRowError: it nests too deeply.

        """
        if depth > DEEPEST:
            raise BadRowError("the features nest too deeply")
        for level, inner in value.items():
            name = f"{prefix}.{escape(level)}"
            if isinstance(inner, dict):
                self.flatten(name, inner, depth + 1)
            elif inner is not None:
                self.values[name] = inner

    def _take_prediction(self, value: object, plan: DecodePlan) -> None:
        if not isinstance(value, dict):
            self.wrong.append(wire.PREDICTION)
            return
        for level, inner in value.items():
            name = f"{wire.PREDICTION}.{level}"
            if inner is None:
                continue
            if plan.probabilities and name == wire.PREDICTION_PROBABILITIES and isinstance(inner, dict):
                self._take_probabilities(inner)
            elif plan.rankings and name == wire.PREDICTION_RANKING:
                self.take_ranking(inner)
            elif name in {wire.PREDICTION_PROBABILITIES, wire.PREDICTION_RANKING}:
                if _holds_anything(inner):
                    self.values[name] = True
            else:
                self.take_field(name, inner)

    def _take_probabilities(self, value: dict[str, Any]) -> None:
        found = Cells()
        found.flatten(wire.PREDICTION_PROBABILITIES, value, 1)
        for name, inner in found.values.items():
            self.take_probability(name, inner)

    def take_probability(self, name: str, value: object) -> None:
        """Take one class's probability, or note that it is no number."""
        if type(value) in _ALLOWED[wire.PREDICTION_SCORE]:
            self.values[name] = value
        else:
            self.wrong.append(name)

    def take_ranking(self, value: object) -> None:
        """Take the ids of a ranking as texts, or note that it is no list of ids."""
        if isinstance(value, list) and all(type(one) in _ALLOWED[wire.PREDICTION_ID] for one in value):
            self.values[wire.PREDICTION_RANKING] = [spell_id(one) for one in value[:MOST_RANKED]]
        else:
            self.wrong.append(wire.PREDICTION_RANKING)

    def take_relevance(self, value: object) -> None:
        """Take grades by id as one text, or note that they are no such thing."""
        spelled = spell_relevance(value)
        if spelled is None:
            self.wrong.append(wire.RELEVANCE)
        else:
            self.values[wire.RELEVANCE] = spelled

    def take_error(self, value: object) -> None:
        """Take what says that a request failed; `false` says that it did not."""
        if isinstance(value, bool):
            if value:
                self.values[wire.ERROR] = "true"
        else:
            self.values[wire.ERROR] = wire.ERROR if isinstance(value, dict | list) else value

    def take_field(self, name: str, value: object) -> None:
        """Take one field, or note that it holds something of a wrong type; a field that we do not know is left."""
        allowed = _ALLOWED.get(name)
        if allowed is None:
            return
        if type(value) in allowed:
            self.values[name] = value
        else:
            self.wrong.append(name)


_ALLOWED: Final[dict[str, frozenset[type]]] = {
    **dict.fromkeys(TIME_FIELDS, frozenset({str})),
    **dict.fromkeys(NAME_FIELDS, frozenset({str, int, float})),
    **dict.fromkeys(NUMBER_FIELDS, frozenset({int, float})),
    **dict.fromkeys(SCALAR_FIELDS, frozenset({str, int, float, bool})),
}


def columns_of(cells: Sequence[Cells], plan: DecodePlan) -> tuple[dict[str, pa.Array], dict[str, Mask]]:
    """Return the columns of some rows, and where a cell has a type that its field cannot have."""
    count = len(cells)
    values: dict[str, list[Any]] = {}
    wrong: dict[str, Mask] = {}
    for row, one in enumerate(cells):
        for name, value in one.values.items():
            column = values.get(name)
            if column is None:
                column = values[name] = [None] * count
            column[row] = value
        for name in one.wrong:
            wrong.setdefault(name, np.zeros(count, dtype=bool))[row] = True
    floats = set(NUMBER_FIELDS)
    floats.update(wire.FEATURE_PREFIX + name for name, want in (plan.features or {}).items() if want is Want.NUMBER)
    ranked = values.pop(wire.PREDICTION_RANKING, None) if plan.rankings else None
    columns = {name: to_array(column, as_float=name in floats) for name, column in values.items()}
    if ranked is not None:
        columns[wire.PREDICTION_RANKING] = pa.array(ranked, IDS)
    return columns, wrong


def spell_id(value: str | float) -> str:
    """Return an id's text: a text as it is, a number canonically."""
    return value if isinstance(value, str) else canonical_numeral(repr(value))


def to_array(values: list[Any], *, as_float: bool) -> pa.Array:
    """Return one column: of the type that all values have, of float64 where numbers mix, of text where others do."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float}:
        if float in kinds or as_float or any(value not in INT64 for value in values if value is not None):
            return pa.array([None if value is None else to_float(value) for value in values], pa.float64())
        return pa.array(values, pa.int64())
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {list}:
        return _lists(values)
    return _texts(values)


def _lists(values: list[list[Any] | None]) -> pa.Array:
    inner = {type(one) for value in values if value is not None for one in value if one is not None}
    if inner <= {int, float}:
        floats = [None if v is None else [None if one is None else to_float(one) for one in v] for v in values]
        return pa.array(floats, pa.list_(pa.float64()))
    for kind, arrow in ((str, pa.string()), (bool, pa.bool_())):
        if inner == {kind}:
            return pa.array(values, pa.list_(arrow))
    return _texts(values)


def _texts(values: list[Any]) -> pa.Array:
    """Return values of several kinds as text, a list of numbers as one among lists of numbers only would be told."""
    told = (_as_floats(value) if isinstance(value, list) else value for value in values)
    return pa.array([None if value is None else spell(value) for value in told], pa.string())


def _as_floats(values: list[Any]) -> list[Any]:
    inner = {type(one) for one in values if one is not None}
    return [None if one is None else to_float(one) for one in values] if inner <= {int, float} else values


def _holds_anything(value: object) -> bool:
    if isinstance(value, dict):
        return any(_holds_anything(inner) for inner in value.values())
    return value is not None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise BadRowError("a key stands twice in one object")
    return value


def check_depth(line: bytes) -> None:
    """Refuse JSON that nests so deeply that a reader may fail on it.

    Raises:
        BadRowError: it does.

    """
    if _nests_deeper(line):
        raise BadRowError("the JSON nests too deeply")


def _nests_deeper(line: bytes) -> bool:
    if line.count(b"{") + line.count(b"[") <= DEEPEST_JSON:
        return False
    marks = np.frombuffer(_JSON_STRING.sub(b"", line), dtype=np.uint8)
    steps = np.zeros(len(marks), dtype=np.int8)
    steps[(marks == ord("{")) | (marks == ord("["))] = 1
    steps[(marks == ord("}")) | (marks == ord("]"))] = -1
    return bool(np.cumsum(steps, dtype=np.int64).max(initial=0) > DEEPEST_JSON)
