"""What keeps somebody awake is read from the state, with what was at stake when it began to."""

from mlvitals.decisions.episode import Harm
from mlvitals.decisions.episode_rows import keep_harm, open_pages
from mlvitals.decisions.finding import Detector


def test_an_episode_is_an_open_page_from_its_finding_to_its_end(told):
    assert open_pages(told.connection, 9) == []
    (page,) = told.take("m", 4, ["amount"])
    told.take("m", 5, ["hour"])
    (one,) = open_pages(told.connection, 9)
    assert (one.episode, one.model, one.since) == (page.episode.id, "m", page.episode.since)
    assert (one.source.detector, one.source.subject) == (Detector.FEATURE, "amount")  # what opened it, to its end
    told.take("m", 6, over=["amount"])
    assert len(open_pages(told.connection, 9)) == 1
    told.take("m", 7, over=["hour"])
    assert open_pages(told.connection, 9) == []


def test_of_many_the_newest_are_told(told):
    for place in range(3):
        told.take(f"m{place}", 10 * place, ["amount"])
    assert [one.model for one in open_pages(told.connection, 2)] == ["m2", "m1"]


def test_what_was_at_stake_stays_as_it_was_when_it_first_paged(told):
    (page,) = told.take("m", 4, ["amount"])
    first = Harm(currency="EUR", per_day=3_200.0, usual=410.0)
    for harm in (first, Harm(currency="EUR", per_day=9.0)):
        keep_harm(told.connection, page.episode.id, harm)
    assert [one.harm for one in open_pages(told.connection, 9)] == [first]
