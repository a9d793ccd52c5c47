"""A quarter of all models for whoever pays: pages and what they were worth, and who is not watched."""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from mlvitals import wire
from mlvitals.config import Config
from mlvitals.decisions.episode import Episode
from mlvitals.decisions.episode_rows import read_episodes
from mlvitals.decisions.paging_rate import UNJUDGED, MeasuredRate, Period, measured_rate, verdicts
from mlvitals.decisions.words import FALSE
from mlvitals.engines.account import read_account
from mlvitals.events import Disposition
from mlvitals.report.calendar import newest_quarter
from mlvitals.report.known_costs import KnownCost, known_costs
from mlvitals.report.stakes import Stake, stake_of, sums, well_again
from mlvitals.state import Store

_ACCEPTED: Final = Disposition.ACCEPTED.value
_UNKNOWN: Final = Disposition.UNKNOWN_MODEL.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An episode with what people said of its page. stake: None where it is not known."""

    episode: Episode
    verdict: str
    stake: Stake | None

    @property
    def detection(self) -> int:
        """From its estimated onset to its page, microseconds."""
        return max(0, self.episode.opened - self.episode.since)

    @property
    def well(self) -> int | None:
        """When the predictions were well again, None while they are not."""
        return None if self.episode.until is None else well_again(self.episode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarter:
    """What happened in a quarter, or in any period.

    newest: the end of the newest window of any model. budget: of pages a week. incidents: whose pages came in it, in
    their order. served: models of which any prediction was ever taken. unlabelled: those of them of which no label ever
    was. silent: that are configured, and were never served. refused: whose configuration is at fault. unmonitored: that
    were met in events and are not configured, with their rows, the most first.
    """

    period: Period
    newest: int
    rate: MeasuredRate
    budget: float
    incidents: Sequence[Incident]
    costs: Sequence[KnownCost]
    served: Sequence[str]
    unlabelled: Sequence[str]
    silent: Sequence[str]
    refused: Sequence[str]
    unmonitored: Sequence[tuple[str, int]]

    @property
    def is_over(self) -> bool:
        """Whether windows have closed up to its end."""
        return self.newest >= self.period.end

    @property
    def detections(self) -> list[int]:
        """How long pages took that nobody called false, ascending."""
        return sorted(one.detection for one in self.incidents if one.verdict != FALSE)

    @property
    def usual_detection(self) -> int:
        """The median of these; there must be one."""
        return int(median(self.detections))

    def stakes(self, verdict: str) -> Mapping[str, Stake]:
        """Return what was at stake in the incidents of a verdict, by currency."""
        return sums(one.stake for one in self.incidents if one.verdict == verdict and one.stake is not None)

    def unpriced(self) -> int:
        """Return how many pages that nobody called false have no stake that is known."""
        return sum(one.verdict != FALSE and one.stake is None for one in self.incidents)


def read_quarter(store: Store, config: Config, period: Period | None = None) -> Quarter:
    """Return a quarter of a state that stands still meanwhile: the newest that is over, or the period asked for.

    Raises:
        InputError: no window has closed yet, so that there is no newest quarter.

    """
    connection = store.connection
    chosen = newest_quarter(connection) if period is None else period
    (newest,) = connection.execute("SELECT max(last) FROM observed").fetchone()
    predictions, labels = _rows(connection, wire.EVENT_PREDICTION), _rows(connection, wire.EVENT_LABEL)
    return Quarter(
        period=chosen,
        newest=0 if newest is None else newest,
        rate=measured_rate(connection, chosen),
        budget=config.decisions.pages_per_week,
        incidents=_incidents(connection, chosen),
        costs=known_costs(store, chosen),
        served=sorted(predictions),
        unlabelled=sorted(set(predictions) - set(labels)),
        silent=sorted({model.name for model in config.models} - set(predictions)),
        refused=sorted(fault.name for fault in config.faults if fault.name is not None),
        unmonitored=sorted(
            _rows(connection, wire.EVENT_PREDICTION, _UNKNOWN).items(), key=lambda one: (-one[1], one[0])
        ),
    )


def _incidents(connection: sqlite3.Connection, period: Period) -> list[Incident]:
    known = verdicts(connection)
    found = [
        Incident(episode=one, verdict=known.get(one.id, UNJUDGED), stake=stake_of(one))
        for one in read_episodes(connection)
        if period.start < one.opened <= period.end
    ]
    return sorted(found, key=lambda one: (one.episode.opened, one.episode.id))


def _rows(connection: sqlite3.Connection, event: str, disposition: str = _ACCEPTED) -> Mapping[str, int]:
    """Return how many rows of a kind of event met a fate, by model."""
    counts: Counter[str] = Counter()
    for key, rows in read_account(connection).items():
        if key.event == event and key.disposition == disposition and key.model:
            counts[key.model] += rows
    return counts
