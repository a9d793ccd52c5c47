"""One incident is one page: what joins, what begins anew, what ends, and that the same input tells the same story."""

from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from mlvitals.clock import HOUR
from mlvitals.decisions.episode import Ending, Quiet, What
from mlvitals.decisions.episode_rows import open_episodes, read_episode, read_episodes
from mlvitals.decisions.episodes import HORIZON, Episodes
from mlvitals.decisions.finding import Detector
from mlvitals.decisions.words import Kind
from tests.decisions.incidents import GROUPS, NOON, Told, fresh


def test_a_finding_opens_an_episode_and_that_is_the_page(told):
    (page,) = told.take("m", 4, ["amount"])
    assert page.what is What.OPENED
    assert page.what.pages
    assert page.episode.lead.finding.source.subject == "amount"
    assert (page.episode.since, page.episode.opened) == (NOON + 2 * HOUR, NOON + 5 * HOUR)
    assert read_episode(told.connection, page.episode.id) == page.episode


def test_a_window_without_findings_tells_nothing(told):
    assert told.take("m", 0) == []
    assert [*read_episodes(told.connection)] == []


def test_a_dead_upstream_of_many_features_is_one_page(told):
    assert told.what("m", 4, ["terminal_a", "terminal_b", "shop_a"]) == [What.OPENED, What.JOINED, What.JOINED]
    (episode,) = open_episodes(told.connection)
    assert (episode.findings, len(episode.parts)) == (3, 3)


def test_one_incident_shows_itself_in_several_features_within_a_day(told):
    assert told.what("m", 0, ["amount"]) == [What.OPENED]
    assert told.what("m", 24, ["hour"]) == [What.JOINED]  # its window ends a day after that of the page
    assert told.what("m", 25, ["age"]) == [What.OPENED]


def test_with_long_windows_an_incident_is_young_for_three_of_them():
    with closing(fresh()) as connection:
        told = Told(connection, hours=24 * 7)
        assert told.what("m", 0, ["amount"]) == [What.OPENED]
        assert told.what("m", 3, ["hour"]) == [What.JOINED]
        assert told.what("m", 4, ["age"]) == [What.OPENED]


def test_a_chronic_drift_does_not_hide_a_new_outage(told):
    assert told.what("m", 0, ["amount"]) == [What.OPENED]
    assert told.what("m", 24 * 30, ["terminal_a"]) == [What.OPENED]
    assert told.what("m", 24 * 30, ["terminal_b"]) == [What.JOINED]
    assert len(open_episodes(told.connection)) == 2


def test_features_of_one_group_join_however_old_the_episode_is(told):
    told.take("m", 0, ["terminal_a"])
    assert told.what("m", 24 * 9, ["terminal_b"]) == [What.JOINED]
    assert told.what("m", 24 * 9, ["shop_a"]) == [What.JOINED]  # another group with the same upstream
    assert told.what("m", 24 * 9, ["card_a"]) == [What.OPENED]


def test_another_model_with_the_same_upstream_joins(told):
    (page,) = told.take("m", 4, ["terminal_a"])
    (joined,) = told.take("other", 4, ["shop_a"])
    assert (joined.what, joined.episode.id, joined.model) == (What.JOINED, page.episode.id, "other")
    assert joined.episode.model == "m"  # who opened it leads
    assert told.what("third", 4, ["card_a"]) == [What.OPENED]
    assert told.what("fourth", 4, ["card_a"]) == [What.JOINED]  # without an upstream the group's name counts
    assert told.what("other", 5, ["amount"]) == [What.JOINED]  # the incident is young in the other model as well


def test_other_models_without_a_common_group_have_pages_of_their_own(told):
    assert told.what("m", 4, ["amount"]) == [What.OPENED]
    assert told.what("other", 4, ["amount"]) == [What.OPENED]
    assert told.what("m", 5, [""], detector=Detector.VOLUME) == [What.JOINED]
    assert told.what("third", 5, [""], detector=Detector.VOLUME) == [What.OPENED]


def test_in_a_catch_up_times_count_and_not_the_order_of_calls(told):
    """One model is processed over its whole stretch before the next one is looked at."""
    (page,) = told.take("m", 100, ["terminal_a"], since=98)
    (closed,) = told.take("m", 110, over=["terminal_a"])
    assert (closed.what, closed.episode.until) == (What.CLOSED, NOON + 111 * HOUR)
    told.take("m", 900)
    (before,) = told.take("other", 10, ["terminal_a"])
    assert before.what is What.OPENED
    assert told.what("other", 12, over=["terminal_a"]) == [What.CLOSED]
    (joined,) = told.take("other", 105, ["terminal_b"])
    assert (joined.what, joined.episode.id) == (What.JOINED, page.episode.id)
    assert joined.episode.until is None  # it lasts again, in the other model
    assert told.what("other", 115, over=["terminal_b"]) == [What.CLOSED]
    assert told.what("other", 400, ["terminal_b"]) == [What.OPENED]


def test_an_onset_long_ago_does_not_reach_an_episode_that_ended_since(told):
    told.take("m", 0, ["terminal_a"])
    told.take("m", 5, over=["terminal_a"])
    assert told.what("other", 24 * 14, ["terminal_a"], since=1) == [What.OPENED]


def test_an_open_episode_of_a_model_that_was_not_seen_since_is_not_joined(told):
    told.take("m", 0, ["terminal_a"])
    assert told.what("other", 24, ["terminal_a"]) == [What.JOINED]
    assert told.what("third", 24 * 9, ["terminal_a"]) == [What.OPENED]
    for window in range(1, 24 * 9):
        told.take("m", window)
    assert told.what("fourth", 24 * 9, ["terminal_a"]) == [What.JOINED]


def test_an_episode_ends_once_all_of_it_has_recovered(told):
    told.take("m", 0, ["terminal_a", "terminal_b"])
    told.take("other", 0, ["terminal_a"])
    assert told.what("m", 5, over=["terminal_a"]) == []
    assert told.what("other", 5, over=["terminal_a"]) == []
    (closed,) = told.take("m", 7, over=["terminal_b"])
    assert closed.what is What.CLOSED
    assert (closed.episode.ending, closed.episode.until) == (Ending.RECOVERED, NOON + 8 * HOUR)
    assert [part.over for part in closed.episode.parts] == [NOON + 6 * HOUR, NOON + 8 * HOUR, NOON + 6 * HOUR]
    assert closed.episode.models == ["m", "other"]
    assert told.take("m", 8, over=["terminal_b"]) == []


def test_what_moves_again_later_is_a_new_page(told):
    told.take("m", 0, ["amount"])
    told.take("m", 5, over=["amount"])
    assert told.what("m", 40, ["amount"]) == [What.OPENED]
    assert len([*read_episodes(told.connection)]) == 2


def test_a_slow_detector_of_an_incident_that_is_just_over_does_not_page(told):
    told.take("m", 0, ["amount"])
    told.take("m", 5, over=["amount"])
    assert told.what("m", 7, ["hour"], since=0) == [What.JOINED]
    assert told.what("m", 8, over=["hour"]) == [What.CLOSED]
    assert told.what("m", 11, ["age"], since=10) == [What.OPENED]  # began when all was over


def test_what_is_found_late_and_began_with_an_incident_is_of_it(told):
    (page,) = told.take("m", 2, ["amount"])
    told.take("m", 40, over=["amount"])
    (joined,) = told.take("m", 30 * 24, [""], since=0, detector=Detector.PERFORMANCE)  # its labels came
    assert (joined.what, joined.episode.id, joined.episode.until) == (What.JOINED, page.episode.id, None)
    assert told.what("m", 31 * 24, over=[""], detector=Detector.PERFORMANCE) == [What.CLOSED]
    assert told.what("m", 32 * 24, ["hour"], since=41) == [What.OPENED]  # began when that was over
    assert told.what("m", 34 * 24, ["age"], since=-25) == [What.OPENED]  # began long before it
    assert told.what("other", 30 * 24, ["amount"], since=0) == [What.OPENED]


def test_of_two_incidents_the_one_that_began_nearest_is_joined(told):
    (page,) = told.take("m", 2, ["amount"])
    told.what("m", 99, ["hour"])
    (joined,) = told.take("m", 100, [""], since=1, detector=Detector.PERFORMANCE)
    assert (joined.what, joined.episode.id) == (What.JOINED, page.episode.id)


def test_an_outage_is_not_hidden_in_a_drift_that_pages_on_the_eve_of_it(told):
    assert told.what("m", 100, ["hour"], since=0) == [What.OPENED]
    (outage,) = told.take("m", 102, ["amount"], since=101)
    assert outage.what is What.OPENED
    (joined,) = told.take("m", 103, ["age"], since=50)  # one that is estimated to have begun before is of the newest
    assert (joined.what, joined.episode.id) == (What.JOINED, outage.episode.id)


def test_all_features_together_are_of_what_one_of_them_shows_and_hide_nothing_else(told):
    (chronic,) = told.take("m", 0, ["terminal_a"])
    (with_it,) = told.take("m", 0, [""], detector=Detector.FEATURES)
    assert (with_it.what, with_it.episode.id) == (What.JOINED, chronic.episode.id)
    assert told.what("m", 100, over=[""], detector=Detector.FEATURES) == []
    told.take("m", 200, ["terminal_b"])  # joins it, weeks later
    assert told.what("m", 200, [""], detector=Detector.FEATURES) == [What.JOINED]
    assert told.what("m", 300, over=[""], detector=Detector.FEATURES) == []
    assert told.what("m", 400, [""], detector=Detector.FEATURES) == [What.OPENED]  # many moved a little, none alone


def test_who_opened_an_episode_alerts_and_the_others_warn(told):
    (page,) = told.take("m", 0, ["terminal_a"])
    told.take("other", 0, ["terminal_a"])
    mine = Episodes(told.connection).lasting("m")[told.source("m", "terminal_a")]
    theirs = Episodes(told.connection).lasting("other")[told.source("other", "terminal_a")]
    assert (mine.episode, mine.alerts, theirs.episode, theirs.alerts) == (page.episode.id, True, page.episode.id, False)
    told.take("m", 5, over=["terminal_a"])
    assert Episodes(told.connection).lasting("m") == {}


def test_what_begins_soon_after_a_change_is_told_and_does_not_page(told):
    quiet = Quiet(start=NOON + 90 * 60_000_000, end=NOON + 3 * HOUR, text="deploy 4.2")  # at half past one
    (silenced,) = told.take("m", 6, ["amount"], since=1, quiets=[quiet])
    assert (silenced.what, silenced.quiet, silenced.episode) == (What.SILENCED, quiet, None)
    assert told.what("m", 7, ["hour"], since=3, quiets=[quiet]) == [What.OPENED]
    assert told.what("m", 7, ["age"], since=0, quiets=[quiet]) == [What.JOINED]
    assert told.take("m", 400) == []  # as long as it lasts
    told.take("m", 401, over=["amount"])
    assert told.what("m", 402, ["amount"], quiets=[quiet]) == [What.OPENED]


def test_a_detector_that_alarms_again_without_a_recovery_stays_in_its_episode(told):
    told.take("m", 0, ["amount"])
    assert told.what("m", 400, ["amount"]) == [What.JOINED]
    (closed,) = told.take("m", 401, over=["amount"])
    assert (closed.what, closed.episode.findings) == (What.CLOSED, 2)


def test_what_has_ended_is_forgotten_after_the_horizon_and_what_lasts_is_not(told):
    told.take("m", 0, ["amount"])
    told.take("m", 1, over=["amount"])
    told.take("chronic", 0, ["amount"])
    told.take("m", HORIZON // HOUR + 1, ["hour"])
    assert len([*read_episodes(told.connection)]) == 3
    told.take("m", HORIZON // HOUR + 30, ["age"])
    episodes = [*read_episodes(told.connection)]
    assert [one.model for one in episodes] == ["m", "m", "chronic"]
    assert {one.until for one in episodes} == {None}
    for table in ("episode_part", "episode_model"):
        (count,) = told.connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        assert count == 3


def test_open_episodes_come_first_then_the_newest(told):
    told.take("m", 0, ["amount"])
    told.take("n", 10, ["amount"])
    told.take("m", 20, over=["amount"])
    assert [one.model for one in read_episodes(told.connection)] == ["n", "m"]
    assert [one.model for one in read_episodes(told.connection, "m")] == ["m"]


_STEP = st.one_of(
    st.tuples(
        st.just("take"),
        st.sampled_from(["m", "n", "o"]),
        st.integers(0, 60),
        st.lists(st.sampled_from([*GROUPS, "amount", "hour"]), unique=True, max_size=4),
        st.lists(st.sampled_from([*GROUPS, "amount", "hour"]), unique=True, max_size=4),
    ),
    st.tuples(
        st.just("say"),
        st.sampled_from([Kind.ACCEPT, Kind.MUTE, Kind.REBASE]),
        st.sampled_from(["m", "n", "o"]),
        st.sampled_from(["", "terminal_a", "amount"]),
        st.integers(0, 300),
    ),
)


def play(steps):
    """Return all that happens, and what is left; each model's windows come in their order."""
    with closing(fresh()) as connection:
        told, happened = Told(connection), []
        windows: dict[str, int] = {}
        for step in steps:
            if step[0] == "take":
                _, model, ahead, found, over = step
                windows[model] = windows.get(model, 0) + 1 + ahead
                happened += told.take(model, windows[model], found, [one for one in over if one not in found])
            else:
                _, kind, model, feature, window = step
                until = None if kind is Kind.REBASE else NOON + window * HOUR
                happened += told.say(kind, model=model, feature=feature, until=until)
            check(connection)
        return happened, [*read_episodes(connection)]


def check(connection):
    """An episode is open exactly while a part of it lasts, and exactly that is latched in it."""
    lasting = set(connection.execute("SELECT episode, number FROM episode_part WHERE over IS NULL"))
    latched = set(connection.execute("SELECT episode, number FROM latch WHERE episode IS NOT NULL"))
    assert lasting == latched
    opened = {name for (name,) in connection.execute("SELECT id FROM episode WHERE until IS NULL")}
    assert {name for name, _ in lasting} == opened


@given(st.lists(_STEP, max_size=40))
def test_the_same_input_tells_the_same_story(steps):
    first, second = play(steps), play(steps)
    assert first == second
    happened, episodes = first
    opened = [one.episode.id for one in happened if one.what is What.OPENED]
    assert sorted(opened) == sorted(one.id for one in episodes)  # one page for each
    for one in episodes:
        assert one.since <= one.opened <= one.seen
        assert one.until is None or one.until == one.seen


def test_lookups_of_thousands_of_models_go_by_index(told):
    with told.connection:
        for model in range(2_000):
            told.take(f"m{model}", 0, ["amount"] if model % 2 else ["terminal_a"])
    for query in (
        "SELECT 1 FROM episode_kin JOIN episode ON episode.id = episode_kin.episode WHERE kin = 'x' AND until IS NULL",
        "SELECT 1 FROM episode_model JOIN episode ON id = episode WHERE episode_model.model = 'm' AND joined > 0",
        "SELECT 1 FROM latch WHERE model = 'm' AND silence IS NOT NULL",
        "SELECT 1 FROM word WHERE heeded = 1 AND silences = 1 AND model = 'm'",
        "SELECT 1 FROM episode_part WHERE episode = 'x' AND over IS NULL",
        "SELECT 1 FROM episode WHERE model = 'm' AND until < 7",
    ):
        plan = " ".join(row[3] for row in told.connection.execute(f"EXPLAIN QUERY PLAN {query}"))
        assert "SCAN" not in plan, (query, plan)


def test_what_another_model_opens_makes_no_episode_forgotten(told):
    told.take("m", 0, ["amount"])
    told.take("m", 1, over=["amount"])
    told.take("n", 3 * HORIZON // HOUR, ["amount"])
    assert {one.model for one in read_episodes(told.connection)} == {"m", "n"}


def test_labels_that_are_missed_at_one_age_after_another_are_one_episode_and_those_of_another_model_another(told):
    assert told.what("m", 4, ["6h"], detector=Detector.COVERAGE) == [What.OPENED]
    assert told.what("m", 4 + 7 * 24, ["7d"], detector=Detector.COVERAGE) == [What.JOINED]
    assert told.what("n", 4 + 7 * 24, ["7d"], detector=Detector.COVERAGE) == [What.OPENED]
