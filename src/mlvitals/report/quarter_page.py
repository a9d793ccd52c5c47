"""A quarter as a page that stands alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mlvitals.config import Config
from mlvitals.decisions.words import FALSE, TRUE
from mlvitals.report.figures import STRIP_HEIGHT, STRIP_WIDTH, Shape
from mlvitals.report.html import Document
from mlvitals.report.numbers import duration, moment
from mlvitals.report.quarter import Incident, Quarter
from mlvitals.report.quarter_words import LIMITS, budget_kept, harm_words, leads, money, title, watched
from mlvitals.report.stakes import well_again
from mlvitals.report.whose import whose
from mlvitals.telemetry import Links
from mlvitals.telemetry.pages import by_how_much, moved

_DOCUMENT: Final = Document(template="quarter.html", styles=("assets/report.css", "assets/quarter.css"))
_LEAST: Final = 2.0  # of a strip's width: what is shorter is drawn as long as this


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An incident as the table of pages tells it.

    strip: from onset to page, and from page to end, over the period. rows, runbook: the team's own links, empty where
    it has none.
    """

    incident: Incident
    what: str
    effect: str
    harm: str
    strip: Sequence[Shape]
    rows: str
    runbook: str


def make_quarter_page(quarter: Quarter, config: Config, *, now: int) -> str:
    """Return the HTML of a quarter, made `now` (microseconds since the epoch).

    Raises:
        MissingExtraError: the extra `report` is not installed.

    """
    detections, stakes = quarter.detections, quarter.stakes(TRUE)
    return _DOCUMENT.render(
        quarter=quarter,
        title=title(quarter),
        watched=watched(quarter),
        leads=[*leads(quarter)],
        limits=LIMITS,
        kept=budget_kept(quarter),
        stakes=stakes,
        protected=money(stakes, "protected"),
        unseen=money(stakes, "unseen"),
        detected=duration(quarter.usual_detection) if detections else "–",
        longest=duration(detections[-1]) if detections else "–",
        rows=[_row(one, quarter, whose(config, one.episode.model).links) for one in quarter.incidents],
        service=config.service,
        made=moment(now // 60_000_000 * 60_000_000),
    )


def _row(incident: Incident, quarter: Quarter, links: Links) -> Row:
    finding, since = incident.episode.lead.finding, incident.episode.since
    rows = links.rows_of(finding.source, since, max(since, well_again(incident.episode)))
    return Row(
        incident=incident,
        what=moved(finding.source),
        effect=by_how_much(finding),
        harm=harm_words(incident),
        strip=_strip(incident, quarter),
        rows=rows or "",
        runbook=links.runbook_of(finding.source) if links.runbook else "",
    )


def _strip(incident: Incident, quarter: Quarter) -> list[Shape]:
    episode = incident.episode
    start, end = quarter.period
    scale = STRIP_WIDTH / (end - start)
    onset, page, over = (
        min(max((time - start) * scale, 0.0), float(STRIP_WIDTH))
        for time in (episode.since, episode.opened, well_again(episode))
    )
    over = min(max(over, page + _LEAST), float(STRIP_WIDTH))
    name = incident.verdict if incident.verdict in (TRUE, FALSE) else "unjudged"
    half = STRIP_HEIGHT / 2
    return [
        Shape("onset", f"M{onset:.1f} {STRIP_HEIGHT}V{half:g}H{page:.1f}V{STRIP_HEIGHT}z"),
        Shape(name, f"M{page:.1f} {STRIP_HEIGHT}V0H{over:.1f}V{STRIP_HEIGHT}z"),
    ]
