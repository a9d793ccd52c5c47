"""Panels in fewer words: what the boards have in common."""

from collections.abc import Mapping
from typing import Final

from mlvitals.assets.boards.board import Kind, Mark, Panel
from mlvitals.assets.query import Aggregate, Query, Reading
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.signal_status import STATES

STATUS_WORDS: Final = tuple((value, status.value.replace("_", " ")) for status, value in STATES.items())


def ask(  # a query has so many parts, and each is told by its name
    metric: str,
    *,
    by: tuple[str, ...] = (),
    where: Mapping[str, str] | None = None,
    aggregate: Aggregate = Aggregate.MAX,
    reading: Reading = Reading.VALUE,
    label: str = "",
) -> Query:
    """Return a query by the metric's name without our prefix."""
    return Query(
        metric=f"mlvitals.{metric}", by=by, where=where or {}, aggregate=aggregate, reading=reading, label=label
    )


def warning_mark(metric: str) -> tuple[Mark, ...]:
    """Return the level from which on a signal warns, as the registry has it; nothing where it has none."""
    spec = REGISTRY[f"mlvitals.{metric}"]
    return () if spec.warning is None else (Mark(value=spec.warning, label="warns from here on, and its noise beyond"),)


def trend(  # as above
    title: str,
    brief: str,
    *queries: Query,
    width: int = 6,
    marks: tuple[Mark, ...] = (),
    lowest: float | None = None,
    highest: float | None = None,
) -> Panel:
    """Return lines over time."""
    return Panel(
        kind=Kind.TREND,
        title=title,
        brief=brief,
        queries=queries,
        width=width,
        marks=marks,
        lowest=lowest,
        highest=highest,
    )


def states(title: str, brief: str, *queries: Query, width: int = 12, height: int = 4) -> Panel:
    """Return the states of signal families."""
    return Panel(
        kind=Kind.STATES, title=title, brief=brief, queries=queries, width=width, height=height, states=STATUS_WORDS
    )


def number(title: str, brief: str, *queries: Query, width: int = 3, marks: tuple[Mark, ...] = ()) -> Panel:
    """Return the newest value."""
    return Panel(kind=Kind.NUMBER, title=title, brief=brief, queries=queries, width=width, height=2, marks=marks)


def table(title: str, brief: str, *queries: Query, width: int = 6, height: int = 5) -> Panel:
    """Return the newest values, the greatest first."""
    return Panel(kind=Kind.TABLE, title=title, brief=brief, queries=queries, width=width, height=height)


def heat(title: str, brief: str, *queries: Query, width: int = 12, height: int = 6) -> Panel:
    """Return series by time, the value as colour."""
    return Panel(kind=Kind.HEAT, title=title, brief=brief, queries=queries, width=width, height=height)


def events(title: str, brief: str, *names: str, width: int = 12, height: int = 4) -> Panel:
    """Return log records of these events."""
    return Panel(kind=Kind.EVENTS, title=title, brief=brief, events=names, width=width, height=height)


def note(text: str, *, width: int = 12, height: int = 2) -> Panel:
    """Return text."""
    return Panel(kind=Kind.NOTE, title="", text=text, width=width, height=height)
