"""Unfolded documents to native columns, each of the type that its field asks for: the fast way."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlvitals import wire
from mlvitals.events import canonical_text
from mlvitals.events.names import escape
from mlvitals.events.rankings import IDS, text_ids
from mlvitals.formats.fieldmap import FieldMap, Wildcard
from mlvitals.formats.mapping import Unit
from mlvitals.formats.paths import ANY, Path
from mlvitals.formats.rows import (
    NAME_FIELDS,
    NUMBER_FIELDS,
    TIME_FIELDS,
    TIME_RANGE,
    Mask,
    unify,
    valid,
)
from mlvitals.formats.unfold import SlowError, Unfolded
from mlvitals.formats.units import factor_of, inverted, microseconds_of, scaled

_NUMERAL: Final = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_INTEGER: Final = r"^[+-]?[0-9]{1,18}$"


class Typed(NamedTuple):
    """A field's column, and where it holds something that the field cannot have (it is null there)."""

    array: pa.Array
    wrong: Mask | None = None
    out_of_range: Mask | None = None


class Columns:
    """The native columns of some rows, as they come together: what is there first stays."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.columns: dict[str, pa.Array] = {}
        self.wrong: dict[str, Mask] = {}
        self._there: dict[str, Mask] = {}

    def add(self, name: str, raw: pa.Array, typed: Typed) -> None:
        """Fill what is not there yet."""
        there = valid(raw)
        taken = self._there.get(name)
        free = there if taken is None else there & ~taken
        if not free.any():
            return
        self._there[name] = free if taken is None else free | taken
        for key, mask in ((name, typed.wrong), (TIME_RANGE, typed.out_of_range)):
            if mask is not None and (mask & free).any():
                self.wrong[key] = self.wrong.get(key, False) | (mask & free)
        array = typed.array
        if taken is not None and not free.all():
            array = pc.if_else(pa.array(free), array, pa.scalar(None, array.type))
        known = self.columns.get(name)
        if known is not None:
            known, array = unify(known, array)
            array = pc.coalesce(known, array)
        if array.null_count < len(array):
            self.columns[name] = array

    def fill(self, name: str, value: object, *, wrong: bool) -> None:
        """Give a field one value where nothing is there yet."""
        taken = self._there.get(name, np.zeros(self.count, dtype=bool))
        if wrong:
            self.wrong[name] = self.wrong.get(name, False) | ~taken
        elif not taken.all():
            constant = pa.repeat(pa.scalar(value), self.count)
            self.add(name, constant, Typed(constant))


def native_columns(columns: Columns, unfolded: Unfolded, fields: FieldMap) -> None:
    """Add the native columns of unfolded documents.

    Raises:
        SlowError: a column mixes what only a look at each cell tells apart.

    """
    for name, paths in fields.single:
        for path in paths:
            raw = unfolded.column(path)
            if raw is None:
                continue
            if len(paths) > 1 and pa.types.is_struct(raw.type):
                raise SlowError
            if name == wire.PREDICTION_ID and not fields.is_by_row(path):
                raw = _numbered(raw, unfolded)
            _add_single(columns, name, raw, fields)
    for prefix, wildcards in fields.wild:
        for wildcard in wildcards:
            _add_wildcard(columns, prefix, wildcard, unfolded)


def _add_single(columns: Columns, name: str, raw: pa.Array, fields: FieldMap) -> None:
    unit = fields.units.get(name)
    if name in TIME_FIELDS:
        columns.add(name, raw, _time(raw, unit, name))
    elif name in NUMBER_FIELDS:
        columns.add(name, raw, number_column(raw, unit, name))
    elif name == wire.ERROR:
        columns.add(name, raw, Typed(error_text(raw)))
    elif name == wire.EVENT:
        columns.add(name, raw, Typed(raw if _is_text(raw.type) else _where(valid(raw), "?")))
    elif name == wire.PREDICTION_RANKING:
        columns.add(name, raw, _ids(raw))
    elif name == wire.RELEVANCE:
        raise SlowError  # each row has keys of its own
    elif name.startswith(wire.PROBABILITY_PREFIX):
        columns.add(name, raw, number_column(raw, None, name))
    elif name.startswith(wire.FEATURE_PREFIX):
        for leaf, array in _leaves(name, raw, (), None):
            columns.add(leaf, array, Typed(array))
    else:
        columns.add(name, raw, _scalar(raw, name))


def _add_wildcard(columns: Columns, prefix: str, wildcard: Wildcard, unfolded: Unfolded) -> None:
    place = wildcard.path.index(ANY)
    before, behind = wildcard.path[:place], wildcard.path[place + 1 :]
    parent = unfolded.column(before)
    if parent is None or not pa.types.is_struct(parent.type):
        return
    for field in parent.type:
        path = (*before, field.name, *behind)
        raw = unfolded.column(path)
        if raw is None:
            continue
        for leaf, array in _leaves(prefix + escape(field.name), raw, path, wildcard):
            probable = prefix.startswith(wire.PROBABILITY_PREFIX)
            columns.add(leaf, array, number_column(array, None, leaf) if probable else Typed(array))


def _leaves(name: str, array: pa.Array, path: Path, wildcard: Wildcard | None) -> Iterator[tuple[str, pa.Array]]:
    if wildcard is not None and not wildcard.takes(path):
        return
    if not pa.types.is_struct(array.type):
        if pa.types.is_list(array.type) and pa.types.is_nested(array.type.value_type):
            raise SlowError  # it is kept as JSON text, in which 1 and 1.0 differ
        yield name, array
        return
    for field, child in zip(array.type, array.flatten(), strict=True):
        yield from _leaves(f"{name}.{escape(field.name)}", child, (*path, field.name), wildcard)


def _numbered(raw: pa.Array, unfolded: Unfolded) -> pa.Array:
    """Return ids with the row's place behind them where a line has more than one row."""
    places, several = unfolded.positions()
    named = _is_text(raw.type) or pa.types.is_integer(raw.type) or pa.types.is_floating(raw.type)
    if not several.any() or not named:
        return raw
    text = canonical_text(raw)
    numbered = pc.binary_join_element_wise(text, pa.array(places).cast(pa.string()), "#")
    return numbered if several.all() else pc.if_else(pa.array(several), numbered, text)


def _time(raw: pa.Array, unit: Unit | None, name: str) -> Typed:
    kind = raw.type
    if pa.types.is_timestamp(kind):
        return Typed(raw)
    if _is_text(kind):
        if unit is None:
            return Typed(raw)
        raw = pc.utf8_trim_whitespace(raw)
        numerals = _matches(raw, _NUMERAL)
        if not numerals.any():
            return Typed(raw)
        if not _matches(raw, _INTEGER)[valid(raw)].all():
            raise SlowError
        raw = raw.cast(pa.int64())
    elif unit is None or not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return Typed(_where(np.zeros(len(raw), dtype=bool), ""), valid(raw))
    elif pa.types.is_floating(kind) and unit == "ns":
        raise SlowError  # a double has not the digits
    times, wrong = microseconds_of(raw, unit)
    return Typed(times, wrong, wrong if name == wire.TIMESTAMP else None)


def number_column(raw: pa.Array, unit: Unit | None, name: str) -> Typed:
    """Return a column as float64, numerals in text read, in the field's own unit."""
    kind = raw.type
    wrong = None
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        array = raw.cast(pa.float64(), safe=False)
    elif _is_text(kind):
        trimmed = pc.utf8_trim_whitespace(raw)
        good = _matches(trimmed, _NUMERAL)
        array = pc.if_else(pa.array(good), trimmed, pa.scalar(None, pa.string())).cast(pa.float64())
        wrong = valid(raw) & ~good
    else:
        return Typed(pa.nulls(len(raw), pa.float64()), valid(raw))
    if unit == "rate":
        array, no_rate = inverted(array)
        wrong = no_rate if wrong is None else wrong | no_rate
    return Typed(scaled(array, factor_of(name, unit)), wrong)


def _ids(raw: pa.Array) -> Typed:
    texts = text_ids(raw)
    return Typed(pa.nulls(len(raw), IDS), valid(raw)) if texts is None else Typed(texts)


def _scalar(raw: pa.Array, name: str) -> Typed:
    kind = raw.type
    good = _is_text(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if good or (pa.types.is_boolean(kind) and name not in NAME_FIELDS):
        return Typed(raw)
    return Typed(_where(np.zeros(len(raw), dtype=bool), ""), valid(raw))


def error_text(raw: pa.Array) -> pa.Array:
    """Return what a field says of a request's failure as text, null where it says that there was none."""
    if pa.types.is_boolean(raw.type):
        return _where(np.asarray(raw.fill_null(False)), "true")  # noqa: FBT003  # Arrow's signature
    if pa.types.is_nested(raw.type):
        return _where(valid(raw), wire.ERROR)
    return canonical_text(raw).cast(pa.string())


def _where(mask: Mask, text: str) -> pa.Array:
    return pa.array(np.where(mask, text, ""), pa.string(), mask=~mask)


def _matches(texts: pa.Array, pattern: str) -> Mask:
    return np.asarray(pc.match_substring_regex(texts, pattern).fill_null(False))  # noqa: FBT003  # Arrow's signature


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
