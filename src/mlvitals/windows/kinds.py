"""Telling a feature's kind from its values and the times of their rows."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlvitals.events import canonical_text, numbers
from mlvitals.windows.layout import Kind
from mlvitals.windows.moments import AGREEMENT, find_epoch_unit, find_number, follows_the_week

ROWS_LOOKED_AT: Final = 20_000
_LEAST_ROWS: Final = 50  # fewer values that differ may be those of a category
_MOST: Final = 0.5
_NEARLY_ALL: Final = 0.95
_FEW: Final = 20
_LEAST_NUMBERS: Final = 1_000
_LARGE: Final = 1e9  # account numbers and random keys have ten digits; amounts and codes do not
_LONG: Final = 100.0
_WORDS: Final = 3.0
_ISO: Final = r"^\d{4}-\d\d-\d\d([T ]\d\d:?\d\d(:?\d\d([.,]\d+)?)?\s?(Z|z|[+-]\d\d(:?\d\d)?)?)?$"
_PAIRS: Final = ("0 1", "false true", "false", "true", "no yes", "n y", "f t", "off on")
_SPELLINGS: Final = 6  # true, True, TRUE and their opposites
_OF_THE_WEEK: Final = "it follows from the hour of the week of its row's time"

Codes = npt.NDArray[np.intp]


class Inferred(NamedTuple):
    """A kind, and in a few words why."""

    kind: Kind
    reason: str


class _Texts(NamedTuple):
    """Texts by what is distinct among them: codes are into `distinct`, one for each row that has a value."""

    distinct: pa.Array
    codes: Codes
    times: npt.NDArray[np.int64] | None

    @property
    def share(self) -> float:
        """Distinct values by rows."""
        return len(self.distinct) / max(1, len(self.codes))

    def mean(self, measured: pa.Array) -> float:
        """Return the mean over rows of what was measured on the distinct texts."""
        return float(np.asarray(measured, dtype=np.float64)[self.codes].mean())


def infer_kind(arrays: Sequence[pa.Array], times: Sequence[pa.Array | None] = ()) -> Inferred | None:
    """Return what a feature holds, None for a type that is not monitored, such as a vector.

    A wrong guess must cost little: what stays numeric or categorical is counted as closely as anything, so the other
    kinds need evidence, in nearly all of at least some dozen rows.

    Args:
        arrays: the feature's values, part by part; parts may have different types, as JSON has them.
        times: of the same rows, timestamps in microseconds, with nulls where a row has none; () where none has.

    """
    known = [one for one in arrays if not pa.types.is_null(one.type)]
    if not known:
        return Inferred(Kind.NUMERIC, "it has no value yet")
    monitored = [one for one in known if _is_monitored(one.type)]
    if not monitored:
        return None
    types = {_value_type(one.type) for one in monitored}
    if all(pa.types.is_temporal(one) for one in types):
        return Inferred(Kind.CALENDAR, "its column is of times")
    rows = list(_looked_at(arrays, times))
    if all(pa.types.is_boolean(one) for one in types):
        return _follows_the_week(_distinct(rows)) or Inferred(Kind.BOOLEAN, "its column is of truth values")
    if all(_is_text(one) for one in types) or not _mostly_numbers(rows):
        return _infer_of_text(_distinct(rows))
    return _infer_of_numbers(rows, integers=all(pa.types.is_integer(one) for one in types))


def _infer_of_text(texts: _Texts) -> Inferred:
    distinct, rows = texts.distinct, len(texts.codes)
    if not rows:
        return Inferred(Kind.CATEGORICAL, "it is text, and has no value yet")
    weekly = _follows_the_week(texts)
    if weekly is not None:
        return weekly
    pair = " ".join(sorted(set(pc.utf8_lower(distinct).to_pylist()))) if len(distinct) <= _SPELLINGS else ""
    if pair in _PAIRS:
        return Inferred(Kind.BOOLEAN, f"its only values are {pair.replace(' ', ' and ')}")
    if texts.mean(pc.match_substring_regex(distinct, _ISO)) >= AGREEMENT:
        return Inferred(Kind.CALENDAR, "it holds dates or times")
    if rows >= _LEAST_ROWS and texts.share >= _MOST:
        return _infer_of_differing(texts)
    return Inferred(Kind.CATEGORICAL, f"it is text with {len(distinct)} values in {rows} rows")


def _follows_the_week(texts: _Texts) -> Inferred | None:
    if texts.times is None or len(texts.distinct) < 2 or not follows_the_week(texts.codes, texts.times):
        return None
    return Inferred(Kind.CALENDAR, _OF_THE_WEEK)


def _infer_of_differing(texts: _Texts) -> Inferred:
    length = texts.mean(pc.utf8_length(texts.distinct))
    if 1 + texts.mean(pc.count_substring(texts.distinct, " ")) >= _WORDS or length >= _LONG:
        return Inferred(Kind.TEXT, f"it is free text, {length:.0f} characters in the mean")
    if texts.share >= _NEARLY_ALL:
        return Inferred(Kind.IDENTIFIER, f"{texts.share:.0%} of its values differ")
    return Inferred(Kind.CATEGORICAL, f"it is text whose values repeat: {texts.share:.0%} of them differ")


def _infer_of_numbers(rows: Sequence[tuple[pa.Array, pa.Array | None]], *, integers: bool) -> Inferred:
    parts = [numbers(array).values for array, _ in rows]
    values = np.concatenate(parts)
    finite = np.isfinite(values)
    distinct, codes = np.unique(values[finite], return_inverse=True)
    if not len(distinct):
        return Inferred(Kind.NUMERIC, "it has no finite value yet")
    times = _times_of(rows)
    timed = None if times is None else times[finite]
    if timed is not None and len(distinct) > 1:
        unit = find_epoch_unit(values[finite], timed)
        if unit is not None:
            return Inferred(Kind.CALENDAR, f"it is a time near its row's, in {unit} since 1970")
        number = find_number(values[finite], timed)
        if number is not None:
            return Inferred(Kind.CALENDAR, f"it is the {number} of its row's time")
        if follows_the_week(codes.reshape(-1), timed):
            return Inferred(Kind.CALENDAR, _OF_THE_WEEK)
    if integers and _are_keys(values[finite], len(distinct)):
        return Inferred(Kind.IDENTIFIER, "it is a whole number that hardly ever repeats, ascending or of many digits")
    # Codes stay numbers: while they are few each has its own bin, so that nothing is lost.
    return Inferred(Kind.NUMERIC, "it is a number" + (f" with {len(distinct)} values" * (len(distinct) <= _FEW)))


def _are_keys(values: npt.NDArray[np.float64], distinct: int) -> bool:
    """Tell keys from amounts, which do not repeat much either: keys are handed out in order, or have many digits."""
    if len(values) < _LEAST_NUMBERS or distinct < AGREEMENT * len(values):
        return False
    steps = np.diff(values)
    ascending = max((steps > 0).mean(), (steps < 0).mean())
    return bool(ascending >= AGREEMENT or (np.abs(values) >= _LARGE).mean() >= AGREEMENT)


def _looked_at(
    arrays: Sequence[pa.Array], times: Sequence[pa.Array | None]
) -> Iterator[tuple[pa.Array, pa.Array | None]]:
    """Yield an even share of the rows that have a value, and their times."""
    present = sum(len(one) - one.null_count for one in arrays if _is_monitored(one.type))
    stride = max(1, present // ROWS_LOOKED_AT)
    for index, array in enumerate(arrays):
        if _is_monitored(array.type):
            rows = pa.array(np.flatnonzero(np.asarray(array.is_valid()))[::stride])
            known = times[index] if times else None
            yield array.take(rows), None if known is None else known.take(rows)


def _times_of(rows: Sequence[tuple[pa.Array, pa.Array | None]]) -> npt.NDArray[np.int64] | None:
    """Return the times of all rows, None unless every row has one."""
    if any(times is None or times.null_count for _, times in rows):
        return None
    return np.concatenate([np.asarray(times.cast(pa.int64())) for _, times in rows if times is not None])


def _distinct(rows: Sequence[tuple[pa.Array, pa.Array | None]]) -> _Texts:
    texts = [canonical_text(array).cast(pa.string()) for array, _ in rows]
    encoded = pa.chunked_array(texts, pa.string()).combine_chunks().dictionary_encode()
    codes: Codes = np.asarray(encoded.indices, dtype=np.intp)
    return _Texts(encoded.dictionary, codes, _times_of(rows))


def _mostly_numbers(rows: Sequence[tuple[pa.Array, pa.Array | None]]) -> bool:
    """Tell whether most values of a column that holds numbers and text read as numbers."""
    read = [numbers(array) for array, _ in rows]
    invalid = sum(0 if one.invalid is None else int(one.invalid.sum()) for one in read)
    return 2 * invalid <= sum(len(one.values) for one in read)


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_monitored(kind: pa.DataType) -> bool:
    value = _value_type(kind)
    if pa.types.is_integer(value) or pa.types.is_floating(value) or pa.types.is_decimal(value):
        return True
    time = pa.types.is_timestamp(value) or pa.types.is_date(value)
    return bool(_is_text(value) or pa.types.is_boolean(value) or time)
