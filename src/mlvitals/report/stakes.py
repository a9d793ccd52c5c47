"""What incidents cost before and after their pages: a rate that was known at the page, times how long it lasted."""

from collections.abc import Iterable
from dataclasses import dataclass

from mlvitals.clock import DAY, parse_duration
from mlvitals.decisions.episode import Episode, Part
from mlvitals.decisions.finding import Detector
from mlvitals.decisions.watching import RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """What an incident cost beyond what is usual, by the rate that was known at its page, in a currency.

    unseen: from its onset to its page. protected: from its page to its end, or to where it was last seen: what could be
    kept from being lost by acting at once.
    """

    currency: str
    unseen: float
    protected: float


def stake_of(episode: Episode) -> Stake | None:
    """Return what an episode had at stake; None where the page did not know it, or not what is usual."""
    harm = episode.harm
    if harm is None or harm.usual is None:
        return None
    each = max(0.0, harm.per_day - harm.usual) / DAY
    well = well_again(episode)
    return Stake(
        currency=harm.currency,
        unseen=each * max(0, min(episode.opened, well) - episode.since),
        protected=each * max(0, well - episode.opened),
    )


def well_again(episode: Episode) -> int:
    """Return when the predictions of an episode were well again, or up to when they were seen not to be.

    What labels tell is known at a maturity: the predictions themselves were well by that much earlier.
    """
    return max((episode.seen if part.over is None else part.over) - _age(part) for part in episode.parts)


def sums(stakes: Iterable[Stake]) -> dict[str, Stake]:
    """Return the sums of stakes by currency, in order."""
    found: dict[str, Stake] = {}
    for one in stakes:
        before = found.get(one.currency, Stake(currency=one.currency, unseen=0.0, protected=0.0))
        found[one.currency] = Stake(
            currency=one.currency, unseen=before.unseen + one.unseen, protected=before.protected + one.protected
        )
    return dict(sorted(found.items()))


def _age(part: Part) -> int:
    """Return how much later than its predictions a finding's times are."""
    source = part.finding.source
    missed = source.detector is Detector.COVERAGE and part.finding.component == RATE  # its times are those of labels
    of_cohorts = source.detector in (Detector.COVERAGE, Detector.PERFORMANCE, Detector.COST)
    return parse_duration(source.subject) if of_cohorts and not missed else 0
