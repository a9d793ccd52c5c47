"""Times of rows: text or Arrow timestamps to microseconds, UTC, each bad one with its reason."""

import re
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlvitals.clock import SECOND
from mlvitals.events import TIME_TYPE
from mlvitals.formats.rows import Mask, valid

# Years 1 to 9999: what RFC 3339 and Python can spell.
EARLIEST: Final = -62_135_596_800 * SECOND
LATEST: Final = 253_402_300_800 * SECOND - 1

_FIXED_ZONE: Final = re.compile(r"[+-]([01]\d|2[0-3]):[0-5]\d")
_NAIVE: Final = r"^\d{4}-\d\d-\d\d([ T]\d\d(:\d\d(:\d\d(\.\d+)?)?)?)?$"
# ISO 8601 allows a comma before the fraction, and Python's logging writes one.
_COMMA: Final = r"^(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d),(\d)"
_BEYOND_MICROSECONDS: Final = r"(\.\d{6})\d+"
_PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


class Times(NamedTuple):
    """A column read as times.

    values: timestamp[us, UTC], null where missing or bad; the masks are disjoint and say what is wrong.
    """

    values: pa.Array
    unreadable: Mask
    naive: Mask
    out_of_range: Mask


def check_zone(zone: str | None) -> None:
    """Check a configured zone.

    Raises:
        ValueError: it is neither an IANA name nor a fixed offset.

    """
    if zone is None or _FIXED_ZONE.fullmatch(zone):
        return
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"`{zone}` is not a zone: write an IANA name like Europe/Vienna, or +02:00") from error


def read_times(array: pa.Array, zone: str | None) -> Times:
    """Read a column as times, digits beyond microseconds cut off.

    Args:
        array: text (RFC 3339; a space may stand for T, a comma before the fraction), Arrow timestamps of any unit, or
            dictionaries of either.
        zone: where naive times belong; None refuses them. A local time that a clock change repeats is the earlier
            one; one that it skips is the moment of the change.

    Returns:
        Times; in a column of any other type every cell is unreadable.

    """
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_large_string(array.type):
        array = array.cast(pa.string())
    none = np.zeros(len(array), dtype=bool)
    if pa.types.is_string(array.type):
        values, naive = _of_text(array, zone)
    elif pa.types.is_timestamp(array.type):
        values, naive = _of_timestamps(array, zone)
    elif pa.types.is_null(array.type):
        return Times(pa.nulls(len(array), TIME_TYPE), none, none, none)
    else:
        return Times(pa.nulls(len(array), TIME_TYPE), valid(array), none, none)
    unreadable = none if values.null_count == array.null_count else valid(array) & ~valid(values) & ~naive
    out_of_range = _out_of_range(values)
    if out_of_range.any():
        values = pc.if_else(pa.array(out_of_range), pa.scalar(None, TIME_TYPE), values)
    return Times(values, unreadable, naive, out_of_range)


def _of_text(text: pa.Array, zone: str | None) -> tuple[pa.Array, Mask]:
    none = np.zeros(len(text), dtype=bool)
    try:
        return text.cast(TIME_TYPE), none
    except pa.ArrowInvalid:
        text = pc.replace_substring_regex(text, _COMMA, r"\1.\2")
        text = pc.replace_substring_regex(text, _BEYOND_MICROSECONDS, r"\1")
    naive = np.asarray(pc.match_substring_regex(text, _NAIVE).fill_null(False))  # noqa: FBT003  # Arrow's signature
    if not naive.any():
        return cast_each(text, TIME_TYPE), none
    mask = pa.array(naive)
    zoned = cast_each(pc.if_else(mask, pa.scalar(None, pa.string()), text), TIME_TYPE)
    if zone is None:
        return zoned, naive
    local = cast_each(pc.if_else(mask, text, pa.scalar(None, pa.string())), pa.timestamp("us"))
    return pc.coalesce(_in_zone(local, zone), zoned), none


def cast_each(text: pa.Array, kind: pa.DataType) -> pa.Array:
    """Cast what can be cast, and null what cannot: halves are tried until a bad value stands alone."""
    try:
        return text.cast(kind)
    except pa.ArrowInvalid:
        if len(text) == 1:
            return pa.nulls(1, kind)
    half = len(text) // 2
    return pa.concat_arrays([cast_each(text[:half], kind), cast_each(text[half:], kind)])


def _of_timestamps(array: pa.Array, zone: str | None) -> tuple[pa.Array, Mask]:
    none = np.zeros(len(array), dtype=bool)
    if array.type.tz is None and zone is None:
        return pa.nulls(len(array), TIME_TYPE), valid(array)
    if array.type.unit != "us":
        array = _to_microseconds(array)
    if array.type.tz is None and zone is not None:
        inside = pc.if_else(pa.array(_out_of_range(array)), pa.scalar(None, array.type), array)
        return _in_zone(inside, zone), none
    return array.cast(TIME_TYPE), none


def _to_microseconds(array: pa.Array) -> pa.Array:
    """Rescale without overflow: downwards by floor, so that times before 1970 lose digits as later ones do."""
    ticks: npt.NDArray[np.int64] = np.asarray(array.cast(pa.int64()).fill_null(0))
    per_second = _PER_SECOND[array.type.unit]
    if per_second > SECOND:
        micros = ticks // (per_second // SECOND)
    else:
        factor = SECOND // per_second
        # One step outside the range stays outside it.
        micros = np.clip(ticks, EARLIEST // factor - 1, LATEST // factor + 1) * factor
    mask = None if array.null_count == 0 else ~valid(array)
    return pa.array(micros, mask=mask).cast(pa.timestamp("us", tz=array.type.tz))


def _in_zone(local: pa.Array, zone: str) -> pa.Array:
    return pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="latest").cast(TIME_TYPE)


def _out_of_range(values: pa.Array) -> Mask:
    micros = values.cast(pa.int64())
    span = pc.min_max(micros).as_py()
    if span["min"] is None or (span["min"] >= EARLIEST and span["max"] <= LATEST):
        return np.zeros(len(values), dtype=bool)
    numbers = np.asarray(micros.fill_null(0))
    return (numbers < EARLIEST) | (numbers > LATEST)
