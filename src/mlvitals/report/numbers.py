"""How a report spells numbers, times and statuses: short for people, the same everywhere."""

from collections.abc import Mapping
from typing import Final

from mlvitals.clock import DAY, HOUR, MINUTE, SECOND, format_time
from mlvitals.signals.spec import MetricSpec, Status

STATUS_WORDS: Final[Mapping[Status, str]] = {
    Status.OK: "ok",
    Status.WARNING: "warning",
    Status.ALERT: "alert",
    Status.INSUFFICIENT_DATA: "insufficient data",
    Status.NO_DATA: "no data",
}
# Each status has a shape of its own, so that no colour is needed to tell them apart.
STATUS_SHAPES: Final[Mapping[Status, str]] = {
    Status.OK: "●",
    Status.WARNING: "▲",
    Status.ALERT: "◆",
    Status.INSUFFICIENT_DATA: "○",
    Status.NO_DATA: "×",
}
# The worst that a layer, a feature or a window says is what it says.
GRAVITY: Final = (Status.ALERT, Status.WARNING, Status.OK, Status.INSUFFICIENT_DATA, Status.NO_DATA)


def number(value: float | None) -> str:
    """Return a value in four significant digits, thousands grouped; a dash where there is none."""
    if value is None:
        return "–"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}".replace("-", "−")
    text = f"{value:,.0f}" if 10_000 <= abs(value) < 1e15 else f"{value:.4g}"
    return text.replace("-", "−")


def measured(value: float | None, unit: str) -> str:
    """Return a value as one reads it: shares in per cent, seconds with their unit, counts plain."""
    if value is None:
        return "–"
    if unit == "1":
        return f"{value * 100:.3g} %".replace("-", "−")
    word = unit.replace("{", "").replace("}", "")
    if word in {"s", "sd", "decade"} or word.endswith("/s"):
        return f"{number(value)} {word}"
    return number(value)


def moment(time: int) -> str:
    """Return a time as a date where it is a midnight, to the minute where it is a whole one (UTC)."""
    text = format_time(time)
    if time % DAY == 0:
        return text[:10]
    return text[:16].replace("T", " ") if time % MINUTE == 0 else text.removesuffix("Z").replace("T", " ")


def duration(length: int) -> str:
    """Return a length of time (microseconds) in the greatest unit of which there are two, to three significant digits.

    Units that calendars do not stretch: seconds, minutes, hours, days.
    """
    units = ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (SECOND, "second"))
    size, name = next((one for one in units if abs(length) >= 2 * one[0]), units[-1])
    told = f"{length / size:,.0f}" if abs(length) >= 100 * size else f"{length / size:.3g}"
    return f"{told} {name}{'' if told == '1' else 's'}".replace("-", "−")


def worst(statuses: "set[Status]") -> Status | None:
    """Return the gravest of statuses, None of none."""
    return next((status for status in GRAVITY if status in statuses), None)


def brief_name(spec: MetricSpec) -> str:
    """Return a signal's name without our prefix."""
    return spec.name.removeprefix("mlvitals.")


def attribute_words(attributes: Mapping[str, str], without: tuple[str, ...] = ()) -> str:
    """Return attributes as `method psi, quantile 0.5`."""
    return ", ".join(f"{name} {value}" for name, value in attributes.items() if name not in without)
