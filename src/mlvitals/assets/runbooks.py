"""The facts of docs/runbooks.md, a rendered part in the section of each monitor; the rest of it is written by hand."""

from collections.abc import Iterator
from typing import Final

from mlvitals.assets.markdown import RenderedPart
from mlvitals.assets.monitors import LOOKBACK, MONITORS, Bar, Comparator, Monitor, Overdue, Severity, Silence
from mlvitals.assets.monitors.words import heading, steps
from mlvitals.assets.query import Aggregate, Reading
from mlvitals.signals.registry import REGISTRY

_SEVERITIES: Final = {
    Severity.PAGE: "pages: it wakes a person",
    Severity.WARN: "warns: it waits until one is at work",
}
_TAKEN: Final = {
    Aggregate.MAX: "the greatest",
    Aggregate.MIN: "the least",
    Aggregate.SUM: "the sum of",
    Aggregate.MEAN: "the mean of",
}
_LENGTHS: Final = ((3_600, "hour"), (60, "minute"), (1, "second"))


def update_document(document: str) -> str:
    """Return the document with the facts of every monitor brought up to date; raises as `RenderedPart.update`."""
    for monitor in MONITORS:
        document = part_of(monitor).update(document, render_facts(monitor))
    return document


def part_of(monitor: Monitor) -> RenderedPart:
    """Return where a monitor's facts stand."""
    return RenderedPart(f"monitor {monitor.name}")


def render_facts(monitor: Monitor) -> str:
    """Return what a monitor is, asks and says, in Markdown."""
    return "\n".join(_lines(monitor))


def _lines(monitor: Monitor) -> Iterator[str]:
    yield from ("", f"**{monitor.title}.** {monitor.means}", "", "| | |", "|---|---|")
    yield f"| severity | {_SEVERITIES[monitor.severity]} |"
    yield f"| says | {heading(monitor, lambda name: f'`{{{name}}}`').strip()} |"
    yield f"| asks for | {_asked(monitor)} |"
    fires, over = _bounds(monitor)
    yield f"| fires | {fires} |"
    yield f"| is over | {over} |"
    yield from ("", "First of all:", "", steps(monitor), "")


def _asked(monitor: Monitor) -> str:
    query = monitor.query
    spec = REGISTRY[query.metric]
    what = "how much it grew of" if query.reading is Reading.GROWTH else _TAKEN[query.aggregate]
    where = "".join(f", of `{name}` `{value}`" for name, value in sorted(query.where.items()))
    by = f", by {', '.join(f'`{name}`' for name in query.by)}" if query.by else ""
    return f"{what} `{query.metric}`{where}{by}: {spec.brief}"


def _bounds(monitor: Monitor) -> tuple[str, str]:
    match monitor.fires:
        case Silence(seconds=seconds):
            return f"once it has had no point for {_length(seconds)}", "with its next point"
        case Overdue():
            hourly = f"{LOOKBACK:,} seconds for windows of an hour and the defaults"
            return f"above the lookback of its model: {hourly}", "at most that"
        case Bar(comparator=comparator, value=value, recovery=recovery, lasting=lasting):
            unit = REGISTRY[monitor.query.metric].unit
            above = comparator is Comparator.ABOVE
            fires = f"above {_amount(value, unit)}" if above else f"at {_amount(value, unit)} or more"
            over = f"at {_amount(recovery, unit)} or less" if above else f"below {_amount(recovery, unit)}"
            return fires + (f", for {_length(lasting)}" if lasting else ", at once"), over


def _amount(value: float, unit: str) -> str:
    if unit == "1" and value:
        return f"{100 * value:g} %"
    return _length(int(value)) if unit == "s" and value else f"{value:g}"


def _length(seconds: int) -> str:
    size, name = next((one for one in _LENGTHS if seconds >= one[0] and seconds % one[0] == 0), _LENGTHS[-1])
    count = seconds // size
    return f"{count:,} {name}{'' if count == 1 else 's'}"
