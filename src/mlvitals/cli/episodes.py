"""How episodes look in a table."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from mlvitals.cli.console import cells
from mlvitals.clock import format_time
from mlvitals.decisions.episode import Episode
from mlvitals.decisions.paging_rate import UNJUDGED
from mlvitals.telemetry.pages import by_how_much, moved


def episode_table(episodes: Sequence[Episode], title: str, verdicts: Mapping[str, str] | None = None) -> Table:
    """Return a row for each episode: what moved, since when, how far; with verdicts, what people said of its page."""
    names = ["id", "model", "since", "until", "what moved", "effect"]
    table = Table(*names, *(["verdict"] if verdicts is not None else []), title=title, title_justify="left")
    for one in episodes:
        finding = one.lead.finding
        others = len(one.models) - 1
        row = [
            one.id,
            one.model + (f" and {others} more" if others else ""),
            format_time(one.since),
            _until(one),
            moved(finding.source) + (f" and {one.findings - 1} more" if one.findings > 1 else ""),
            by_how_much(finding),
        ]
        if verdicts is not None:
            row.append(verdicts.get(one.id, UNJUDGED))
        table.add_row(*cells(*row), style="" if one.until is not None else "yellow" if one.silenced else "bold red")
    return table


def _until(episode: Episode) -> str:
    if episode.until is None:
        return "lasts, muted" if episode.silenced else "lasts"
    return f"{format_time(episode.until)} ({episode.ending})"
