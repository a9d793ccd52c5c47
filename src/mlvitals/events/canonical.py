"""One reading of a column, whatever type its input gave it: as numbers, or as canonical text."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_NUMERAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NO_NUMBER = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE | re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_LEADING_ZERO = re.compile(r"[+-]?0\d", re.ASCII)
_INTEGERS_BELOW = 2**64  # no wider integer is a column's
_LONGEST_INTEGER = 21
_SPELLED_NO_NUMBER = frozenset({"nan", "inf", "-inf"})
_INT64_BELOW = 2.0**63


class Numbers(NamedTuple):
    """A column read as float64.

    values: NaN where missing or invalid; missing, invalid: boolean masks, None where nothing is.
    """

    values: npt.NDArray[np.float64]
    missing: npt.NDArray[np.bool_] | None
    invalid: npt.NDArray[np.bool_] | None


def column(batch: pa.RecordBatch, name: str) -> pa.Array | None:
    """Return the named column, or None where the batch has none or it is of the null type."""
    index = batch.schema.get_field_index(name)
    if index < 0 or pa.types.is_null(batch.schema.field(index).type):
        return None
    return batch.column(index)


def numbers(array: pa.Array) -> Numbers:
    """Read a column as float64: booleans are 0 and 1, numerals in text count, other text is invalid.

    The texts nan and inf, with or without a sign, in any case, are those doubles.
    """
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _numbers_of_dictionary(array)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _numbers_of_text(array)
    missing = _null_mask(array)
    if pa.types.is_boolean(kind):
        array = array.cast(pa.int8())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        present = np.ones(len(array), dtype=bool) if missing is None else ~missing
        return Numbers(np.full(len(array), np.nan), missing, present)
    values = np.asarray(pc.cast(array, pa.float64(), safe=False).to_numpy(zero_copy_only=False))
    return Numbers(values, missing, None)


def canonical_text(array: pa.Array, *, numerals: bool = False) -> pa.Array:
    """Return a column's values as text, so that 3, 3.0 and (with `numerals`) "3.0" are equal, as true and 1 are.

    Args:
        array: any scalar column.
        numerals: also rewrite text that is a numeral, "true" and "false"; right for labels, where 1 and "1.0" are one
            class. Digits behind a leading zero, such as 01234, are a name and stay as they are.

    Returns:
        A string array, or a dictionary of strings where the input was a dictionary; nulls stay null.

    """
    kind = array.type
    if pa.types.is_dictionary(kind):
        return pa.DictionaryArray.from_arrays(array.indices, canonical_text(array.dictionary, numerals=numerals))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        texts = array.cast(pa.string())
        return _map_distinct(texts, canonical_numeral) if numerals else texts
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return (array.cast(pa.int8()) if pa.types.is_boolean(kind) else array).cast(pa.string())
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _text_of_floats(pc.cast(array, pa.float64(), safe=False))
    return _map_objects(array)


def canonical_numeral(text: str) -> str:
    """Return the canonical spelling of a numeral or a truth value; other text as it is."""
    if _NUMERAL.fullmatch(text):
        if _LEADING_ZERO.match(text):
            return text
        if _INTEGER.fullmatch(text) and len(text) <= _LONGEST_INTEGER and abs(int(text)) < _INTEGERS_BELOW:
            return str(int(text))
        return _text_of_float(float(text))
    truth = text.lower()
    return "1" if truth == "true" else "0" if truth == "false" else text


def is_number(spelled: str) -> bool:
    """Tell whether a canonical text is that of a number, be it NaN or an infinity."""
    if spelled in _SPELLED_NO_NUMBER:
        return True
    return bool(_NUMERAL.fullmatch(spelled)) and not _LEADING_ZERO.match(spelled)


def _text_of_float(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < _INTEGERS_BELOW else repr(value)


def _numbers_of_dictionary(array: pa.DictionaryArray) -> Numbers:
    inner = numbers(array.dictionary)
    missing = _null_mask(array)
    if len(inner.values) == 0:
        return Numbers(np.full(len(array), np.nan), missing, None)
    codes = np.asarray(array.indices.fill_null(0))
    values = inner.values[codes]
    invalid = None if inner.invalid is None else inner.invalid[codes]
    if missing is not None:
        values[missing] = np.nan
        invalid = None if invalid is None else invalid & ~missing
    if inner.missing is not None:  # a dictionary may hold null as a value
        within = inner.missing[codes]
        missing = within if missing is None else missing | within
    return Numbers(values, missing, invalid)


def _null_mask(array: pa.Array) -> npt.NDArray[np.bool_] | None:
    return np.asarray(array.is_null()) if array.null_count else None


def _numbers_of_text(array: pa.Array) -> Numbers:
    missing = _null_mask(array)
    try:
        values = np.asarray(array.cast(pa.float64()).to_numpy(zero_copy_only=False))
    except pa.ArrowInvalid:
        return _numbers_of_words(array, missing)
    # Arrow takes more spellings of NaN than we do, but what a text means must not depend on the others of its batch.
    nothing = np.isnan(values) if missing is None else np.isnan(values) & ~missing
    return _numbers_of_words(array, missing) if nothing.any() else Numbers(values, missing, None)


def _numbers_of_words(array: pa.Array, missing: npt.NDArray[np.bool_] | None) -> Numbers:
    encoded = array.dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    good = [bool(_NUMERAL.fullmatch(text) or _NO_NUMBER.fullmatch(text)) for text in distinct]
    values = np.array([float(text) if well else np.nan for text, well in zip(distinct, good, strict=True)])
    bad = ~np.array(good)
    codes = np.asarray(encoded.indices.fill_null(0))
    present = np.ones(len(array), dtype=bool) if missing is None else ~missing
    return Numbers(np.where(present, values[codes], np.nan), missing, bad[codes] & present)


def _text_of_floats(array: pa.Array) -> pa.Array:
    values = np.asarray(array.fill_null(0.0))
    whole = np.isfinite(values) & (values == np.floor(values)) & (np.abs(values) < _INT64_BELOW)
    if whole.all():
        integers = pa.array(values.astype(np.int64), mask=_null_mask(array))
        return integers.cast(pa.string())
    return _map_distinct(array, _text_of_float)


def _map_distinct(array: pa.Array, spell: Callable[[Any], str]) -> pa.Array:
    encoded = array.dictionary_encode()
    spelled = pa.array([spell(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return spelled.take(encoded.indices)


def _map_objects(array: pa.Array) -> pa.Array:
    return pa.array([None if value is None else str(value) for value in array.to_pylist()], pa.string())
