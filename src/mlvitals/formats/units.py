"""Numbers that a log gives in another unit than native events: times since the epoch, durations, sampling rates."""

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlvitals import wire
from mlvitals.clock import SECOND
from mlvitals.formats.mapping import Unit
from mlvitals.formats.rows import Mask, valid
from mlvitals.formats.times import EARLIEST, LATEST

_PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_TO_MILLISECONDS: Final = {"s": 1e3, "ms": 1.0, "us": 1e-3, "ns": 1e-6}


def to_microseconds(value: float, unit: Unit) -> int | None:
    """Return a time since the epoch in microseconds, None where it is no time of the years 1 to 9999.

    Whole numbers lose digits beyond microseconds by floor; others are rounded to the nearest.
    """
    per_second = _PER_SECOND[unit]
    if isinstance(value, int):
        micros = value * SECOND // per_second
    elif math.isfinite(value):
        micros = round(value * (SECOND / per_second))
    else:
        return None
    return micros if EARLIEST <= micros <= LATEST else None


def microseconds_of(array: pa.Array, unit: Unit) -> tuple[pa.Array, Mask]:
    """Return a column of numbers as times, and where one is none: `to_microseconds`, of many."""
    per_second = _PER_SECOND[unit]
    there = valid(array)
    if pa.types.is_integer(array.type):
        ticks: npt.NDArray[np.int64] = np.asarray(array.cast(pa.int64()).fill_null(0))
        if per_second > SECOND:
            micros = ticks // (per_second // SECOND)
        else:
            factor = SECOND // per_second
            micros = np.clip(ticks, EARLIEST // factor - 1, LATEST // factor + 1) * factor
    else:
        values = np.asarray(array.cast(pa.float64()).fill_null(0.0))
        with np.errstate(over="ignore", invalid="ignore"):
            rounded = np.rint(values * (SECOND / per_second))
        # One step outside the range stays outside it, and NaN goes there.
        rounded = np.where(np.isnan(rounded), EARLIEST - 1, np.clip(rounded, EARLIEST - 1, LATEST + 1))
        micros = rounded.astype(np.int64)
    wrong = there & ((micros < EARLIEST) | (micros > LATEST))
    return pa.array(micros, mask=~there | wrong).cast(pa.timestamp("us", tz="UTC")), wrong


def factor_of(field: str, unit: Unit | None) -> float:
    """Return what a number of a field is multiplied by."""
    return _TO_MILLISECONDS[unit] if field == wire.LATENCY_MS and unit in _TO_MILLISECONDS else 1.0


def invert(rate: float) -> float | None:
    """Return the weight of a row that was sampled at a rate, None where it is no rate."""
    return 1.0 / rate if 0.0 < rate <= 1.0 else None


def inverted(array: pa.Array) -> tuple[pa.Array, Mask]:
    """Return a float64 column of rates as weights, and where one is none."""
    rates = np.asarray(array.fill_null(0.0))
    good = (rates > 0.0) & (rates <= 1.0)
    weights: Any = np.divide(1.0, rates, out=np.zeros_like(rates), where=good)
    return pa.array(weights, mask=~good), valid(array) & ~good


def scaled(array: pa.Array, factor: float) -> pa.Array:
    """Return a float64 column multiplied by a factor."""
    return array if factor == 1.0 else pc.multiply(array, factor)
