"""Links from a page to what its reader opens next: the rows behind it, and what to do about it."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Final
from urllib.parse import quote

from mlvitals.clock import format_time
from mlvitals.decisions.finding import Detector, Source
from mlvitals.signals.evidence import SIGNAL_OF_DETECTOR

# Where each monitor, and each detector that pages, has a section.
RUNBOOKS: Final = "docs/runbooks.md"

# What a link may name, in braces.
ROWS_NAMES: Final = ("model", "start", "end", "start_ms", "end_ms", "filter")
RUNBOOK_NAMES: Final = ("model", "signal", "detector")

_MILLISECOND: Final = 1_000  # microseconds
_ADDRESS: Final = re.compile(r"https?://(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?(?=[/?#]|$)", re.ASCII)
# What RFC 3986 lets stand in a URL, but for brackets, which not every reader of messages takes for a part of a link.
_PLAIN: Final = "!#$&'()*+,/:;=?@-._~"
_LONE_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """A team's own links, with places for what a page speaks of; None where there is none.

    rows: to the logged rows, with `ROWS_NAMES` in braces. runbook: to what to do, with `RUNBOOK_NAMES`.
    """

    rows: str | None = None
    runbook: str | None = None

    def __post_init__(self) -> None:
        """Refuse a link that is none; raises ValueError with what is wrong, never with the link."""
        for name, template, known in (("rows", self.rows, ROWS_NAMES), ("runbook", self.runbook, RUNBOOK_NAMES)):
            if template is not None:
                for fault in _faults(template, known):
                    raise ValueError(f"`{name}` {fault}")

    def rows_of(self, source: Source, start: int, end: int) -> str | None:
        """Return the link to the rows of what a detector watches, None without one.

        start, end: microseconds since the epoch. `filter` is the feature of the detector, nothing where it has none.
        """
        if self.rows is None:
            return None
        values = {
            "model": source.model,
            "start": format_time(start),
            "end": format_time(end),
            "start_ms": str(start // _MILLISECOND),
            "end_ms": str(end // _MILLISECOND),
            "filter": source.subject if source.detector is Detector.FEATURE else "",
        }
        return _fill(self.rows, values)

    def runbook_of(self, source: Source) -> str:
        """Return the link to what to do where a detector pages: the team's own, else the section of our runbooks."""
        detector = source.detector.value
        if self.runbook is None:
            return f"{RUNBOOKS}#page-of-{detector}"
        values = {"model": source.model, "signal": SIGNAL_OF_DETECTOR[detector], "detector": detector}
        return _fill(self.runbook, values)


def _faults(template: str, known: Collection[str]) -> Iterator[str]:
    try:
        places = [(place, form or conversion) for _, place, form, conversion in Formatter().parse(template)]
    except ValueError:
        yield "has a brace without its other half: a literal one is written twice"
        return
    if any(place is not None and (place not in known or more) for place, more in places):
        yield f"may name {', '.join(f'`{{{name}}}`' for name in known)}, and nothing else in braces"
    elif not template.isprintable():
        yield "has a character that cannot be seen"
    elif not _ADDRESS.match(template):
        yield "must begin with https:// or http:// and a host as it is: no name, no password, no braces"


def _fill(template: str, values: Mapping[str, str]) -> str:
    """Return a URL in which each value is one part, whatever it holds, and what was written stays as it was meant."""
    address = _ADDRESS.match(template)
    beginning = "" if address is None else address[0]  # brackets are part of a host
    pieces = [beginning]
    for text, place, _, _ in Formatter().parse(template[len(beginning) :]):
        pieces.append(quote(_LONE_PERCENT.sub("%25", text), safe=f"{_PLAIN}%"))
        if place is not None:
            pieces.append(quote(values[place], safe="", errors="surrogatepass"))
    return "".join(pieces)
