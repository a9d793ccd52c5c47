"""What a board is, in no backend's words: rows of panels, each asking for series of the registry."""

from dataclasses import dataclass
from enum import StrEnum

from mlvitals.assets.query import Query
from mlvitals.signals.spec import Layer


class Kind(StrEnum):
    """How a panel shows its series.

    trend: lines over time. states: the state of each series over time, or the newest, in the colours of `STATES`.
    number: the newest value. table: the newest value of each series, the greatest first. heat: series by time, the
    value as colour. events: log records. note: text.
    """

    TREND = "trend"
    STATES = "states"
    NUMBER = "number"
    TABLE = "table"
    HEAT = "heat"
    EVENTS = "events"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A level drawn across a panel: from `value` on a thing is worth a look."""

    value: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture. width and height in columns of 12 and in rows.

    brief: what it says and how it is read, a sentence or two, shown with it. events: of `Kind.EVENTS`, names of log
    events. text: of `Kind.NOTE`, Markdown. states: of `Kind.STATES` and `Kind.NUMBER`, values with their words, where
    they are not those of a signal's status. lowest, highest: the ends of the axis, None where the values say.
    """

    kind: Kind
    title: str
    brief: str = ""
    queries: tuple[Query, ...] = ()
    width: int = 6
    height: int = 4
    marks: tuple[Mark, ...] = ()
    events: tuple[str, ...] = ()
    text: str = ""
    states: tuple[tuple[float, str], ...] = ()
    lowest: float | None = None
    highest: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Panels under one heading; `layer` is the one that they are about, None where they are about all or none."""

    title: str
    panels: tuple[Panel, ...]
    layer: Layer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A page of panels.

    name: of its file and in links, lower-case words. variables: short attribute names that a person chooses by; each
    filters the queries whose metric carries it. leads_to: names of boards, with the variables that they share.
    """

    name: str
    title: str
    brief: str
    variables: tuple[str, ...]
    rows: tuple[Row, ...]
    leads_to: tuple[str, ...] = ()

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels in the order of the page."""
        return tuple(panel for row in self.rows for panel in row.panels)
