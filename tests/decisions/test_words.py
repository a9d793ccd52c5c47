"""What a person says of pages: who is silent for how long, what ends, and what begins anew."""

import pytest

from mlvitals.clock import HOUR
from mlvitals.decisions.episode import Ending, Quiet, What
from mlvitals.decisions.episode_rows import open_episodes, read_episodes
from mlvitals.decisions.episodes import Episodes
from mlvitals.decisions.finding import Detector
from mlvitals.decisions.words import Kind, read_words, rebases, silences, unheeded
from tests.decisions.incidents import NOON

SAID, OPENED, CLOSED, SILENCED = What.SAID, What.OPENED, What.CLOSED, What.SILENCED


def at(window):
    """Return the end of a window."""
    return NOON + (window + 1) * HOUR


def whats(happenings):
    return [one.what for one in happenings]


def test_every_word_is_kept_and_told_once(told):
    (said,) = told.say(Kind.MUTE, model="m", until=at(5))
    assert (said.what, said.word.user, said.word.reason, said.word.until) == (SAID, "ann", "known", at(5))
    assert Episodes(told.connection).heed() == []
    (kept,) = read_words(told.connection)
    assert (kept.sequence, kept.heeded) == (said.word.sequence, True)
    assert unheeded(told.connection) == []


@pytest.mark.parametrize("kind", [Kind.ACCEPT, Kind.MUTE])
def test_what_is_found_while_it_is_silenced_pages_at_its_end_if_it_still_lasts(told, kind):
    told.say(kind, model="m", until=at(10))
    (silenced,) = told.take("m", 4, ["amount"])
    assert (silenced.what, silenced.word.kind, silenced.episode) == (SILENCED, kind, None)
    assert Episodes(told.connection).lasting("m")[told.source("m", "amount")].silenced
    for window in range(5, 11):
        assert told.take("m", window) == []
    (page,) = told.take("m", 11)  # the first window that ends after it
    assert (page.what, page.episode.opened, page.finding.end) == (OPENED, at(11), at(4))
    assert told.take("m", 12) == []


@pytest.mark.parametrize("kind", [Kind.ACCEPT, Kind.MUTE])
def test_what_recovers_while_it_is_silenced_never_pages(told, kind):
    told.say(kind, model="m", until=at(10))
    told.take("m", 4, ["amount"])
    assert told.take("m", 8, over=["amount"]) == []
    assert told.take("m", 11) == []
    assert told.what("m", 12, ["amount"]) == [OPENED]


def test_what_was_silenced_together_is_one_page_at_the_end(told):
    told.say(Kind.MUTE, model="m", until=at(30))
    told.take("m", 1, ["amount"])
    told.take("m", 28, ["hour"])
    assert whats(told.take("m", 31)) == [OPENED, What.JOINED]


def test_a_muted_episode_stays_and_pages_again_only_if_it_still_lasts(told):
    (page,) = told.take("m", 0, ["amount"])
    assert whats(told.say(Kind.MUTE, model="m", until=at(10))) == [SAID]
    (episode,) = open_episodes(told.connection)
    assert episode.silenced
    assert not Episodes(told.connection).lasting("m")[told.source("m", "amount")].alerts
    assert told.take("m", 10) == []
    (again,) = told.take("m", 11)
    assert (again.what, again.episode.id) == (What.REPEATED, page.episode.id)
    assert again.what.pages
    assert told.take("m", 12) == []
    told.say(Kind.MUTE, model="m", until=at(20))
    assert whats(told.take("m", 15, over=["amount"])) == [CLOSED]
    assert told.take("m", 21) == []


def test_a_muted_feature_does_not_hide_another(told):
    told.take("m", 0, ["amount"])
    told.say(Kind.MUTE, model="m", feature="amount", until=at(100))
    (again,) = told.take("m", 5, ["hour"])  # it joins an episode of which nobody wants to hear: but not of this
    assert (again.what, again.finding.source.subject) == (What.REPEATED, "hour")
    assert told.what("m", 6, ["age"]) == [What.JOINED]


def test_a_mute_is_of_a_model_a_feature_or_a_detector(told):
    told.say(Kind.MUTE, model="m", feature="amount", until=at(10))
    told.say(Kind.MUTE, model="n", detector=Detector.VOLUME.value, until=at(10))
    assert told.what("m", 1, ["amount"]) == [SILENCED]
    assert told.what("m", 1, [""], detector=Detector.VOLUME) == [OPENED]
    assert told.what("n", 1, [""], detector=Detector.VOLUME) == [SILENCED]
    assert told.what("n", 1, ["amount"]) == [OPENED]
    assert told.what("o", 1, ["amount"]) == [OPENED]


def test_a_longer_word_goes_before_a_shorter_one(told):
    told.take("m", 0, ["amount"])
    told.say(Kind.MUTE, model="m", until=at(20))
    told.say(Kind.MUTE, model="m", feature="amount", until=at(10))
    assert told.take("m", 11) == []
    assert whats(told.take("m", 21)) == [What.REPEATED]


def test_a_mute_can_be_ended_early_and_what_lasts_pages_then(told):
    told.say(Kind.MUTE, model="m", until=at(100))
    told.take("m", 1, ["amount"])
    (word,) = silences(told.connection, "m")
    told.say(Kind.UNMUTE, model="m", ends=word.sequence)
    assert silences(told.connection) == []
    assert whats(told.take("m", 2)) == [OPENED]


def test_to_accept_until_a_time_ends_the_episode_and_a_new_one_pages_if_it_lasts_then(told):
    (page,) = told.take("m", 0, ["amount"])
    said, closed = told.say(Kind.ACCEPT, model="m", until=at(10))
    assert whats([said, closed]) == [SAID, CLOSED]
    assert (closed.episode.ending, closed.episode.until, closed.word) == (Ending.ACCEPTED, at(0), said.word)
    assert closed.episode.findings == 1  # the evidence is kept
    (new,) = told.take("m", 11)
    assert new.what is OPENED
    assert new.episode.id != page.episode.id


def test_to_accept_one_feature_leaves_the_rest_of_the_episode_open(told):
    told.take("m", 0, ["amount", "hour"])
    assert whats(told.say(Kind.ACCEPT, model="m", feature="amount", until=at(500))) == [SAID]
    (episode,) = open_episodes(told.connection)
    assert [part.over is None for part in episode.parts] == [False, True]
    (closed,) = told.take("m", 5, over=["hour"])
    assert closed.episode.ending is Ending.RECOVERED


def test_of_an_episode_of_several_models_only_the_one_that_is_named_is_accepted(told):
    told.take("m", 0, ["terminal_a"])
    told.take("n", 0, ["terminal_a"])
    assert whats(told.say(Kind.REBASE, model="m")) == [SAID]
    assert whats(told.say(Kind.REBASE, model="n")) == [SAID, CLOSED]


def test_what_comes_beside_what_was_accepted_is_news(told):
    told.take("m", 0, ["amount"])
    told.say(Kind.ACCEPT, model="m", feature="amount", until=at(500))
    assert told.what("m", 1, ["hour"]) == [OPENED]


def test_a_rebase_asks_the_detectors_in_scope_to_learn_anew_from_the_onset(told):
    told.take("m", 4, ["amount"], since=2)
    told.take("m", 5, ["hour"], since=1)
    assert rebases(told.connection, "m") == []
    said, *_ = told.say(Kind.REBASE, model="m", feature="amount")
    (word,) = rebases(told.connection, "m")
    assert (word.feature, word.onset, word.sequence) == ("amount", NOON + 2 * HOUR, said.word.sequence)
    assert rebases(told.connection, "m", after=word.sequence) == rebases(told.connection, "n") == []
    said, closed = told.say(Kind.REBASE, model="m")
    assert (closed.what, closed.episode.ending) == (CLOSED, Ending.ACCEPTED)
    (word,) = rebases(told.connection, "m", after=word.sequence)
    assert (word.feature, word.onset) == ("", NOON + HOUR)
    assert Episodes(told.connection).lasting("m") == {}
    assert told.what("m", 30, ["amount"]) == [OPENED]  # it pages again if it moves from there


def test_a_rebase_where_nothing_lasts_counts_from_when_it_was_said(told):
    told.say(Kind.REBASE, model="m")
    (word,) = rebases(told.connection, "m")
    assert word.onset == word.time


def test_what_followed_a_change_does_not_page_at_the_end_of_a_mute(told):
    quiet = Quiet(start=NOON, end=NOON + HOUR, text="deploy")
    told.take("m", 4, ["amount"], since=0, quiets=[quiet])
    told.say(Kind.MUTE, model="m", until=at(10))
    assert told.take("m", 11) == []
    told.say(Kind.REBASE, model="m")
    assert Episodes(told.connection).lasting("m") == {}


def test_a_verdict_changes_nothing_but_what_is_known(told):
    (page,) = told.take("m", 0, ["amount"])
    assert whats(told.say(Kind.VERDICT, model="m", episode=page.episode.id, verdict="false")) == [SAID]
    assert [*read_episodes(told.connection)] == [page.episode]
