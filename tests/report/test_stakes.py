"""What was at stake in incidents whose times and rates are known."""

from dataclasses import replace

import pytest

from mlvitals.clock import DAY, HOUR
from mlvitals.decisions.episode import Ending, Episode, Harm, Part
from mlvitals.decisions.finding import Detector, Finding, Source
from mlvitals.report.stakes import Stake, stake_of, sums, well_again

HARM = Harm(currency="EUR", per_day=240.0, usual=24.0)


def part(found, over, *, detector=Detector.FEATURE, subject="x", component="location"):
    finding = Finding(
        source=Source("m", "1", detector, subject),
        component=component,
        start=found - DAY,
        end=found,
        onset=found - 2 * DAY,
        effect=1.0,
        lower=1.0,
        upper=1.0,
        unit="{sd}",
        evidence=5.0,
        bar=4.0,
    )
    return Part(finding=finding, origin={}, found=found, over=over)


def episode(*parts, harm=HARM, since=0, opened=2 * DAY, until=12 * DAY):
    return Episode(
        id="0123456789ab",
        model="m",
        since=since,
        opened=opened,
        seen=until or 20 * DAY,
        until=until,
        ending=None if until is None else Ending.RECOVERED,
        findings=len(parts),
        parts=parts,
        models=["m"],
        harm=harm,
    )


def test_a_stake_is_what_exceeds_the_usual_before_the_page_and_after_it():
    assert stake_of(episode(part(2 * DAY, 12 * DAY))) == Stake(currency="EUR", unseen=2 * 216.0, protected=10 * 216.0)


def test_what_costs_less_than_usual_has_nothing_at_stake():
    cheap = replace(HARM, per_day=10.0)
    assert stake_of(episode(part(2 * DAY, 12 * DAY), harm=cheap)) == Stake(currency="EUR", unseen=0.0, protected=0.0)


@pytest.mark.parametrize("harm", [None, Harm(currency="EUR", per_day=240.0, coverage=0.5)])
def test_without_knowing_what_is_usual_no_stake_is_told(harm):
    assert stake_of(episode(part(2 * DAY, 12 * DAY), harm=harm)) is None


def test_what_lasts_counts_up_to_where_it_was_seen():
    lasting = episode(part(2 * DAY, None), until=None)
    assert well_again(lasting) == 20 * DAY
    assert stake_of(lasting) == Stake(currency="EUR", unseen=2 * 216.0, protected=18 * 216.0)


def test_what_labels_show_later_was_over_earlier_by_their_maturity():
    late = part(9 * DAY, 12 * DAY, detector=Detector.PERFORMANCE, subject="7d")
    assert well_again(episode(part(2 * DAY, 4 * DAY), late)) == 5 * DAY
    assert well_again(episode(late, part(2 * DAY, 6 * DAY))) == 6 * DAY


def test_labels_that_are_missed_have_the_times_of_labels():
    missed = part(9 * DAY, 12 * DAY, detector=Detector.COVERAGE, subject="7d", component="rate")
    reversed_ = part(9 * DAY, 12 * DAY, detector=Detector.COVERAGE, subject="7d", component="reversed")
    assert well_again(episode(missed)) == 12 * DAY
    assert well_again(episode(reversed_)) == 5 * DAY


def test_what_was_over_before_its_page_could_not_be_protected():
    late = part(9 * DAY, 12 * DAY, detector=Detector.PERFORMANCE, subject="7d")
    found = stake_of(episode(late, since=DAY, opened=9 * DAY))
    assert found == Stake(currency="EUR", unseen=4 * 216.0, protected=0.0)


def test_sums_are_kept_by_currency():
    stakes = [Stake(currency=name, unseen=1.0, protected=HOUR) for name in ("USD", "EUR", "USD")]
    assert sums(stakes) == {
        "EUR": Stake(currency="EUR", unseen=1.0, protected=HOUR),
        "USD": Stake(currency="USD", unseen=2.0, protected=2 * HOUR),
    }
