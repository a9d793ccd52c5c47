"""Which column is what: by its name and by its values, each with points, so that the answer is always the same."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from mlvitals.setup.inference import words
from mlvitals.setup.inference.columns import Column, words_of
from mlvitals.setup.inference.words import name_points

_ENOUGH: Final = 0.9
_FEW: Final = 50
# Of the values in a column of another file, how many must be those of a prediction: a sample may hold few of them.
_SHARED: Final = 0.05
_BY_VALUES: Final = 4
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_CERTAIN: Final = 7
_LIKELY: Final = 5
# From 2001 to 2100, in each unit in which a number can tell a time.
_EPOCHS: Final = {"s": (1e9, 4.1e9), "ms": (1e12, 4.1e12), "us": (1e15, 4.1e15), "ns": (1e18, 4.1e18)}
_UNITS: Final = {
    "ms": ("ms", "milli", "millis", "millisecond", "milliseconds", "msec"),
    "s": ("s", "sec", "secs", "second", "seconds"),
    "us": ("us", "micro", "micros", "microsecond", "microseconds", "usec"),
    "ns": ("ns", "nano", "nanos", "nanosecond", "nanoseconds"),
}
_PER_SECOND: Final = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}
# Who waits for an answer waits no longer: what lasts longer is what a prediction is about, such as a visit.
_LONGEST_SECONDS: Final = 600


class Trust(StrEnum):
    """How sure a choice is."""

    CERTAIN = "certain"
    LIKELY = "likely"
    GUESS = "a guess"


@dataclass(frozen=True, slots=True)
class Choice:
    """A column that was chosen for a role, why, and how sure; `unit` of a time or a span."""

    column: Column
    why: str
    trust: Trust
    unit: str = ""


@dataclass(frozen=True, slots=True)
class _Bid:
    points: float
    why: str
    unit: str = ""


def choose(columns: Iterable[Column], bid: Callable[[Column], _Bid | None], *, least: float) -> Choice | None:
    """Return the column with the highest bid, of equals the shallowest and first; None where none reaches `least`."""
    best: tuple[float, int, Column, _Bid] | None = None
    for column in columns:
        made = bid(column)
        if made is None or made.points < least:
            continue
        if best is None or (made.points, -len(column.path)) > (best[0], -best[1]):
            best = made.points, len(column.path), column, made
    if best is None:
        return None
    points, _, column, made = best
    trust = Trust.CERTAIN if points >= _CERTAIN else Trust.LIKELY if points >= _LIKELY else Trust.GUESS
    return Choice(column, made.why, trust, made.unit)


def find_time(columns: Iterable[Column]) -> Choice | None:
    """Return the column that tells when a prediction was made: text with a date, or numbers that count an epoch."""
    return choose(columns, _bid_time, least=4)


def find_id(columns: Iterable[Column]) -> Choice | None:
    """Return the column that names a prediction: nearly every row has a value of its own."""
    return choose(columns, _bid_id, least=4)


def find_shared_id(columns: Iterable[Column], elsewhere: Sequence[Column]) -> Choice | None:
    """Return the column whose values name predictions elsewhere too, whatever it is called.

    Args:
        columns: of the predictions.
        elsewhere: of the lines and files that are no predictions, such as those of labels.

    """

    def bid(column: Column) -> _Bid | None:
        if not _could_be_id(column):
            return None
        shared = max((overlap(column, one) for one in elsewhere if _could_be_id(one)), default=0.0)
        return _Bid(_LIKELY + shared, "other lines or files name its values too") if shared > _SHARED else None

    return choose(columns, bid, least=_LIKELY)


def find_model(columns: Iterable[Column]) -> Choice | None:
    """Return the column that names the model: text of few values."""

    def bid(column: Column) -> _Bid | None:
        if not column.is_text or column.distinct > _FEW or column.share < _ENOUGH:
            return None
        named = name_points(column, words.MODEL)
        return _Bid(named, f"named so; {count(column.distinct, 'value')}") if named else None

    return choose(columns, bid, least=3)


def find_version(columns: Iterable[Column]) -> Choice | None:
    """Return the column that names the model's version."""

    def bid(column: Column) -> _Bid | None:
        if not (column.is_text or column.is_whole) or column.distinct > _FEW:
            return None
        if (
            column.words not in (("version",), ("ver",), ("v",))
            and "model" not in column.joined
            and not _below(column, "model")
        ):
            return None  # the versions of schemas, agents and services
        named = name_points(column, words.VERSION)
        return _Bid(named, f"named so; {count(column.distinct, 'value')}") if named else None

    return choose(columns, bid, least=3)


def find_latency(columns: Iterable[Column]) -> Choice | None:
    """Return the column that tells how long a prediction took, with its unit by name, or else by size."""

    def bid(column: Column) -> _Bid | None:
        numbers = column.numbers
        if numbers is None or (numbers < 0).any() or epoch_unit(column) is not None:
            return None
        *before, last = column.words or ("",)
        middle = float(np.median(numbers))
        unit = next((unit for unit, names in _UNITS.items() if last in names), "")
        if unit:
            named = words.points(tuple(before), words.LATENCY) or words.TIMED.get("".join(before), 0)
            made = _Bid(named + 2, f"named so, in {unit}", unit)
        else:
            named = words.points(column.words, words.LATENCY)
            unit = "s" if middle < 2 and not column.is_whole else "ms"
            made = _Bid(min(named, 4), f"named so; unit by its size (median {middle:g})", unit)
        return made if named and middle <= _LONGEST_SECONDS * _PER_SECOND[unit] else None

    return choose(columns, bid, least=3)


def find_error(columns: Iterable[Column]) -> Choice | None:
    """Return the column that tells a failure: text, or true and false, in few rows or none."""

    def bid(column: Column) -> _Bid | None:
        if not (column.is_text or column.is_boolean) or (column.is_text and column.share > 0.5):
            return None
        named = name_points(column, words.ERROR)
        return _Bid(named, "named so; in few rows") if named else None

    return choose(columns, bid, least=4)


def find_weight(columns: Iterable[Column]) -> Choice | None:
    """Return the column that tells which share of the requests is logged."""

    def bid(column: Column) -> _Bid | None:
        numbers = column.numbers
        if numbers is None or (numbers <= 0).any() or (numbers > 1).any():
            return None
        named = name_points(column, words.WEIGHT)
        return _Bid(named, "named so") if named else None

    return choose(columns, bid, least=4)


def find_status(columns: Iterable[Column]) -> Choice | None:
    """Return the column of HTTP status codes."""

    def bid(column: Column) -> _Bid | None:
        numbers = column.numbers
        if numbers is None or not column.is_whole or (numbers < 100).any() or (numbers > 599).any():
            return None
        return _Bid(7, "named so; HTTP status codes") if {"status", "code"} & set(column.words) else None

    return choose(columns, bid, least=4)


def epoch_unit(column: Column) -> str | None:
    """Return the unit in which all numbers of a column count from 1970, None where they do not."""
    numbers = column.numbers
    if numbers is None:
        return None
    for unit, (least, most) in _EPOCHS.items():
        if (numbers >= least).all() and (numbers < most).all():
            return unit
    return None


def is_time(column: Column) -> bool:
    """Tell whether nearly all values read as times, with a zone or without."""
    times = column.times
    if times is None or (column.is_text and not any(char.isdigit() for char in column.present[0])):
        return False
    read: int = len(times.values) - times.values.null_count + int(times.naive.sum())
    return read >= _ENOUGH * len(column.present)


def is_naive(column: Column) -> bool:
    """Tell whether some of a column's times name no zone."""
    return column.times is not None and bool(column.times.naive.any())


def count(number: int, what: str) -> str:
    """Return `1 value` or `3 values`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def without(columns: Iterable[Column], taken: Sequence[Choice | None]) -> list[Column]:
    """Return the columns that none of the choices took."""
    paths = {choice.column.path for choice in taken if choice is not None}
    return [column for column in columns if column.path not in paths]


def _bid_time(column: Column) -> _Bid | None:
    if column.share < _ENOUGH:
        return None
    named = max(words.points(column.words, words.TIME), words.points(column.words[:-1], words.TIME))
    unit = epoch_unit(column)
    if unit is not None:
        if not named:
            return None
        return _Bid(named + 2 + _spread(column), f"named so; counts {unit} since 1970", unit)
    if not is_time(column):
        return None
    longest = max(len(str(value)) for value in column.present)
    whole_days = column.is_text and longest <= len("2026-01-01")
    why = "dates without a time of day" if whole_days else "times"
    why += " without a zone" if is_naive(column) else ""
    return _Bid(named + (1 if whole_days else 3) + _spread(column), why)


def _spread(column: Column) -> float:
    return 1.0 if column.unique > 0.5 else 0.0


def _could_be_id(column: Column) -> bool:
    """Tell whether nearly every row that has a value has one of its own; times have so too, and name nothing."""
    able = column.is_scalar and (column.is_text or column.is_whole) and column.unique >= _ENOUGH
    return able and not is_time(column) and epoch_unit(column) is None


def _bid_id(column: Column) -> _Bid | None:
    if not (column.is_text or column.is_whole) or column.share < _ENOUGH or column.unique < _ENOUGH:
        return None
    named = name_points(column, words.IDENTIFIER)
    if not named and all(_UUID.fullmatch(str(value)) for value in column.present):
        return _Bid(_BY_VALUES, "its values are UUIDs")
    if not named or is_time(column) or epoch_unit(column) is not None:
        return None
    return _Bid(named + column.share, f"named so; {column.unique:.0%} of the values stand once")


def _below(column: Column, level: str) -> bool:
    return any(level in words_of(one) for one in column.path[:-1])


def overlap(left: Column, right: Column) -> float:
    """Return the share of the right column's values that the left one has too."""
    known = set(map(str, left.present))
    return sum(str(value) in known for value in right.present) / max(1, len(right.present))
