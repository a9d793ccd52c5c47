"""What keeps somebody awake is read from the state, with what was at stake when it began to."""

from mlvitals.decisions.episode import Harm
from mlvitals.decisions.episode_rows import keep_harm, open_episodes
from mlvitals.decisions.finding import Detector


def test_an_episode_is_open_and_led_by_what_opened_it_from_its_finding_to_its_end(told):
    assert open_episodes(told.connection) == []
    (page,) = told.take("m", 4, ["amount"])
    told.take("m", 5, ["hour"])
    (one,) = open_episodes(told.connection)
    assert (one.id, one.model, one.since) == (page.episode.id, "m", page.episode.since)
    source = one.lead.finding.source
    assert (source.detector, source.subject) == (Detector.FEATURE, "amount")
    told.take("m", 6, over=["amount"])
    (one,) = open_episodes(told.connection)
    assert one.lead.finding.source == source
    told.take("m", 7, over=["hour"])
    assert open_episodes(told.connection) == []


def test_the_newest_comes_first(told):
    for place in range(3):
        told.take(f"m{place}", 10 * place, ["amount"])
    assert [one.model for one in open_episodes(told.connection)] == ["m2", "m1", "m0"]


def test_what_was_at_stake_stays_as_it_was_when_it_first_paged(told):
    (page,) = told.take("m", 4, ["amount"])
    first = Harm(currency="EUR", per_day=3_200.0, usual=410.0)
    for harm in (first, Harm(currency="EUR", per_day=9.0)):
        keep_harm(told.connection, page.episode.id, harm)
    assert [one.harm for one in open_episodes(told.connection)] == [first]
