"""What is known to have happened in the real event sets, when, and whence it is known."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from mlvitals.clock import DAY, format_time, parse_time
from mlvitals.decisions.episode import Episode
from mlvitals.decisions.finding import Detector
from mlvitals.telemetry.pages import by_how_much


@dataclass(frozen=True, slots=True)
class Known:
    """Something that happened. what: features, or detectors of the model. since, until: days; the latter is not part.

    why: how it is known. planted: an outage, that is one page exactly; of what drifts there may be several.
    """

    what: tuple[str, ...]
    since: str
    until: str
    why: str
    planted: bool = False

    def explains(self, episode: Episode) -> bool:
        """Tell whether a page is of this: it came while this was going on, or in the two windows that follow."""
        finding = episode.lead.finding
        since, until = (parse_time(f"{day}T00:00:00Z") for day in (self.since, self.until))
        late = 2 * (finding.end - finding.start)
        return subject(episode) in self.what and since < episode.opened <= until + late

    def hours_late(self, episode: Episode) -> float:
        """Return how long after it began it was told."""
        return (episode.opened - parse_time(f"{self.since}T00:00:00Z")) / DAY * 24


def subject(episode: Episode) -> str:
    """Return what a page is about: a feature, or a detector of the model."""
    source = episode.lead.finding.source
    return source.subject if source.detector is Detector.FEATURE else source.detector.value


def unexplained(episodes: Iterable[Episode], known: Sequence[Known]) -> list[str]:
    """Return the pages of which nothing is known."""
    return [
        f"{format_time(one.opened)} {subject(one)} {one.lead.finding.component} since {format_time(one.since)}"
        for one in episodes
        if not any(event.explains(one) for event in known)
    ]


def told(name: str, episodes: Iterable[Episode], known: Sequence[Known]) -> list[str]:
    """Return a line of a table for each page: stream, when, what it said, what was true, hours late of an outage."""
    lines = []
    for one in episodes:
        event = next((event for event in known if event.explains(one)), None)
        late = f"{event.hours_late(one):.0f}" if event is not None and event.planted else ""
        why = "" if event is None else event.why
        finding = one.lead.finding
        said = f"`{subject(one)}`: {by_how_much(finding)}, since {format_time(one.since)[:10]}"
        lines.append(f"| {name} | {format_time(one.opened)[:10]} | {said} | {why} | {late} |")
    return lines


HOUSES: Final = (
    Known(("sqft_living",), "2015-02-09", "2015-02-16", "truth.md: planted, sent in square metres", planted=True),
    Known(("grade",), "2015-03-16", "2015-03-21", "truth.md: planted, null in two of five events", planted=True),
    Known(("zipcode",), "2014-12-27", "2015-01-09", "rows: of 403 houses one lies in 98103, where 15 are usual"),
    Known(
        ("performance",),
        "2015-03-01",
        "2015-06-30",
        "truth.md: prices rise while the model stays; bias -24 thousand in February, -63 thousand in May",
    ),
)
FRAUD: Final = (
    Known(
        ("terminal_risk_1d", "terminal_risk_7d", "terminal_risk_30d"),
        "2018-07-16",
        "2018-07-19",
        "truth.md: planted, the feature store says 0",
        planted=True,
    ),
    Known(("amount",), "2018-08-06", "2018-08-13", "truth.md: planted, cents in place of dollars", planted=True),
    # Every tenth customer is served, the reference holds all: by customer, theirs differ from it all the time.
    Known(
        tuple(f"customer_{kind}_{days}d" for kind in ("avg_amount", "nb_tx") for days in (1, 7, 30)),
        "2018-06-15",
        "2018-09-15",
        "rows: of 496 customers and not of 5,000, 0.08 to 0.14 sd below the reference in every week",
    ),
)
ELECTRICITY: Final = (
    Known(
        ("vicprice", "vicdemand", "transfer"),
        "1997-05-05",
        "1997-05-06",
        "truth.md: constant until the market of Victoria joined",
        planted=True,
    ),
    Known(("nswdemand",), "1996-12-01", "1996-12-31", "truth.md: PSI 1.04; rows: least demand of all, at Christmas"),
    Known(("prediction",), "1997-06-01", "1997-07-31", "truth.md: PSI of the score 0.21 and 0.30, recall 0.48 in July"),
    Known(
        ("prediction",),
        "1997-11-01",
        "1998-03-31",
        "rows: one score in 90 lies beyond all of the reference (May to November); truth.md: PSI 0.07 to 0.15",
    ),
    Known(("nswdemand",), "1997-12-25", "1997-12-31", "rows: least demand of all, at Christmas"),
    Known(
        ("prediction", "nswdemand"),
        "1998-06-01",
        "1998-08-31",
        "rows: demand beyond that of the winter of the reference; truth.md: PSI of the score 0.10 to 0.54",
    ),
    Known(("prediction",), "1998-11-01", "1998-11-30", "rows: one score in 130 lies beyond all of the reference"),
)
TAXI: Final = (
    Known(
        ("pickup_latitude", "pickup_longitude"),
        "2014-07-01",
        "2016-12-31",
        "rows: rounded to six digits, which the reference is not; its point masses and its ends are missed by a hair",
    ),
    Known(
        ("prediction", "payment_type"),
        "2014-07-01",
        "2016-12-31",
        "truth.md: payments move from cash to card; PSI of the score 0.04 in 2014, 0.24 in 2016",
    ),
    Known(("company",), "2015-04-01", "2016-12-31", "truth.md: companies come and are renamed; PSI 0.07 to 0.50"),
    Known(("trip_seconds",), "2015-04-01", "2015-10-01", "truth.md: PSI 0.03 in these quarters, 0.01 before"),
    Known(("volume",), "2014-12-15", "2015-01-05", "rows: fewer trips at the turn of the year"),
    Known(("volume",), "2015-05-18", "2016-12-31", "rows: 410 trips a month in 2014, 310 in November 2015, 60 in 2016"),
)
