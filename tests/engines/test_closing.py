"""When windows close, when cohorts settle, what revises them, and when they are forgotten."""

import msgspec
import pytest

from mlvitals.clock import DAY, HOUR, MINUTE, SECOND, format_time
from mlvitals.config import Duration, LabelsConfig
from mlvitals.errors import StateError

STATE = ("prediction", "label", "cohort", "settlement")
EMPTY: dict[str, list[tuple[object, ...]]] = {table: [] for table in STATE}


def labelled_windows(bench):
    return sorted(
        {
            (one.window_start, one.attributes["maturity"])
            for one in bench.latest().values()
            if "maturity" in one.attributes
        }
    )


class Running:
    """An engine that runs on while the clock moves."""

    def __init__(self, bench, now):
        self.bench = bench
        self.store, self.engine = bench.open(now=now)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.store.close()

    def take(self, *events, source="s"):
        self.engine.process(source, self.bench.decode(events))
        self.engine.advance_while_running()

    def wait(self, microseconds):
        object.__setattr__(self.bench.clock, "moment", self.bench.clock.moment + microseconds)
        self.engine.advance_while_running()


def test_a_window_closes_once_the_newest_prediction_is_its_lateness_past_the_end(bench):
    with Running(bench, bench.start + DAY) as running:
        running.take(bench.prediction("a", bench.start), bench.prediction("b", bench.start + HOUR + 10 * MINUTE - 1))
        assert bench.windows() == []
        running.take(bench.prediction("c", bench.start + HOUR + 10 * MINUTE))
        assert bench.windows() == [bench.start]


def test_the_slowest_prediction_source_holds_the_watermark(bench):
    with Running(bench, bench.start + DAY) as running:
        running.take(bench.prediction("a", bench.start), source="slow")
        running.take(bench.prediction("b", bench.start + 5 * HOUR), source="fast")
        assert bench.windows() == []
        running.take(bench.prediction("c", bench.start + 70 * MINUTE), source="slow")
        assert bench.windows() == [bench.start]


def test_a_source_of_labels_does_not_hold_the_watermark(bench):
    with Running(bench, bench.start + DAY) as running:
        running.take(bench.label("a", bench.start - 9 * DAY), source="labels")
        running.take(bench.prediction("a", bench.start), bench.prediction("b", bench.start + 2 * HOUR))
        assert bench.windows() == [bench.start]


def test_the_watermark_never_goes_back(bench):
    with Running(bench, bench.start + DAY) as running:
        running.take(bench.prediction("a", bench.start), bench.prediction("b", bench.start + 5 * HOUR))
        running.take(bench.prediction("c", bench.start + 1), source="new")
        running.take(bench.prediction("d", bench.start + 2 * HOUR))
    assert bench.account() == {("prediction", "accepted"): 2, ("prediction", "late"): 2}


def test_a_parked_prediction_moves_no_watermark(bench):
    with Running(bench, bench.start + HOUR) as running:
        running.take(bench.prediction("a", bench.start), bench.prediction("b", bench.start + 3 * HOUR))
        assert bench.windows() == []
        running.engine.advance_when_all_is_read()
        assert bench.windows() == []


def test_a_silent_source_moves_on_with_the_clock_after_its_idle_time(bench):
    with Running(bench, bench.start) as running:
        running.take(bench.prediction("a", bench.start + 30 * MINUTE))
        running.wait(5 * MINUTE + 40 * MINUTE - 1)
        assert bench.windows() == []
        running.wait(1)
        assert bench.windows() == [bench.start]


def test_a_silent_source_does_not_hold_the_others(bench):
    with Running(bench, bench.start + DAY) as running:
        running.take(bench.prediction("a", bench.start), source="silent")
        for minute in range(0, 180, 10):
            running.take(bench.prediction(f"b{minute}", bench.start + minute * MINUTE), source="lively")
            running.wait(10 * MINUTE)
    # The silent one has moved to minute 175, the other stands at 170: less the lateness of 10, two hours are over.
    assert bench.windows() == [bench.start, bench.start + HOUR]


def test_idle_time_settles_too(bench):
    with Running(bench, bench.start) as running:
        running.take(bench.prediction("a", bench.start), bench.label("a", bench.start + 1))
        running.wait(3 * HOUR)
        assert labelled_windows(bench) == [(format_time(bench.start), "1h")]
        running.wait(4 * DAY)
        assert len(labelled_windows(bench)) == 3
    assert bench.rows(*STATE) == EMPTY


def test_once_closes_by_the_newest_accepted_prediction_of_any_source(bench):
    events = [bench.prediction("a", bench.start), bench.prediction("b", bench.start + 70 * MINUTE)]
    bench.feed([("s", events[:1]), ("t", events[1:])])
    assert bench.windows() == [bench.start]


def test_once_settles_by_the_newest_accepted_event_of_either_kind(bench):
    events = [bench.prediction("a", bench.start), bench.prediction("b", bench.start + 70 * MINUTE)]
    bench.feed([("s", [*events, bench.label("b", bench.start + 2 * HOUR - 1)])])
    assert labelled_windows(bench) == []
    bench.feed([("s", [bench.label("b", bench.start + 2 * HOUR)])])
    assert labelled_windows(bench) == [(format_time(bench.start), "1h")]


@pytest.mark.parametrize("one", ["orphan", "expired"])
def test_a_label_that_is_not_accepted_settles_nothing(bench, one):
    events = [bench.prediction("a", bench.start), bench.prediction("b", bench.start + 70 * MINUTE)]
    name, age = ("stranger", 5 * HOUR) if one == "orphan" else ("a", 3 * DAY + 1)
    bench.feed([("s", [*events, bench.label(name, bench.start + age)])])
    assert bench.account()["label", one] == 1
    assert labelled_windows(bench) == []


def test_an_orphan_settles_once_its_prediction_has_come(bench):
    bench.feed([("s", [bench.label("b", bench.start + 2 * HOUR)])], finish=False)
    bench.feed([("s", [bench.prediction("a", bench.start), bench.prediction("b", bench.start + 70 * MINUTE)])])
    assert labelled_windows(bench) == [(format_time(bench.start), "1h")]


@pytest.mark.parametrize(("until", "closed"), [(HOUR - 1, False), (HOUR, True)])
def test_until_closes_a_window_iff_it_ends_by_then(bench, until, closed):
    bench.feed([("s", [bench.prediction("a", bench.start)])], until=bench.start + until)
    assert bool(bench.windows()) is closed


@pytest.mark.parametrize(("until", "settled"), [(2 * HOUR - 1, 0), (2 * HOUR, 1), (7 * HOUR, 2), (2 * DAY + HOUR, 3)])
def test_until_settles_a_cohort_iff_its_end_and_the_maturity_are_by_then(bench, until, settled):
    bench.feed([("s", [bench.prediction("a", bench.start)])], until=bench.start + until)
    assert len(labelled_windows(bench)) == settled
    assert bench.value("label.coverage.ratio", maturity="1h") == (0.0 if settled else None)


def test_until_holds_back_what_is_at_or_after_it_and_a_later_one_releases_it(bench):
    events = [bench.prediction(str(minute), bench.start + minute * MINUTE) for minute in (0, 59, 60, 61)]
    events += [bench.label("0", bench.start + HOUR - 1), bench.label("0", bench.start + HOUR, 0), {"event": "x"}]
    bench.feed([("s", events)], until=bench.start + HOUR)
    assert bench.account() == {
        ("prediction", "accepted"): 2,
        ("prediction", "held"): 2,
        ("label", "accepted"): 1,
        ("label", "held"): 1,
        ("row", "skipped"): 1,
    }
    assert bench.value("prediction.count") == 2.0
    bench.feed([], until=bench.start + HOUR + 1)
    assert bench.account()["prediction", "held"] == 1
    bench.feed([], until=bench.start + 2 * HOUR)
    assert bench.value("prediction.count", bench.start + HOUR) == 2.0
    assert bench.account() == {("prediction", "accepted"): 4, ("label", "accepted"): 2, ("row", "skipped"): 1}


def test_what_until_held_back_is_taken_when_a_run_has_none(bench):
    bench.feed(
        [("s", [bench.prediction("a", bench.start), bench.prediction("b", bench.start + DAY)])], until=bench.start + 1
    )
    bench.feed([])
    assert bench.account() == {("prediction", "accepted"): 2}
    assert bench.windows() == [bench.start]


def test_what_is_held_back_again_keeps_its_place(bench):
    first, other = (bench.prediction("a", bench.start + DAY, latency_ms=ms) for ms in (1, 2))
    bench.feed([("s", [first]), ("t", [bench.prediction("b", bench.start)]), ("t", [other])], until=bench.start + HOUR)
    bench.feed([], until=bench.start + 2 * HOUR)
    bench.feed([("t", [other])], until=bench.start + 2 * DAY)
    dispositions = [(source, disposition) for source, _, _, disposition, *_ in bench.rows("account")["account"]]
    assert dispositions == [("s", "accepted"), ("t", "accepted"), ("t", "conflict")]


def test_until_does_not_go_back(bench):
    bench.feed([], until=bench.start + HOUR)
    bench.feed([], until=bench.start + HOUR)
    with pytest.raises(StateError, match="must not go back"):
        bench.feed([], until=bench.start + HOUR - 1)


def settle_then(bench, *labels):
    """Settle a window of two predictions, one of them labelled, then take more labels; return what was emitted."""
    events = [bench.prediction(one, bench.start) for one in "ab"]
    bench.feed([("s", [*events, bench.label("a", bench.start + 1)])], until=bench.start + 2 * HOUR)
    before = len(bench.emissions)
    bench.feed([("s", labels)], until=bench.start + 2 * HOUR)
    return bench.emissions[before:]


def test_labels_after_the_settlement_revise_what_was_said(bench):
    (emission,) = settle_then(bench, bench.label("b", bench.start + 2, 0))
    settled = bench.emissions[-2]
    assert emission.revised
    assert not settled.revised
    assert (emission.stamp, emission.start) == (settled.stamp, settled.start) == (bench.start + 2 * HOUR, bench.start)
    # What the detectors hold after a cohort is told once: they do not go back.
    said = {one.identity for one in settled.measurements if not one.signal.endswith(".evidence")}
    assert said <= {one.identity for one in emission.measurements}
    assert {one.revision for one in settled.measurements} == {0}
    assert {one.revision for one in emission.measurements} == {1}
    assert bench.value("label.coverage.ratio", maturity="1h") == 1.0
    assert bench.value("performance.score", metric="accuracy", maturity="1h") == 0.5


@pytest.mark.parametrize("case", ["duplicate", "orphan", "same", "too old", "superseded"])
def test_nothing_is_revised_where_nothing_changed(bench, case):
    late = {
        "duplicate": bench.label("a", bench.start + 1),
        "orphan": bench.label("stranger", bench.start + 1),
        "same": bench.label("a", bench.start + 2),
        "too old": bench.label("b", bench.start + HOUR + 1),
        "superseded": bench.label("a", bench.start),
    }
    assert settle_then(bench, late[case]) == []


def test_a_label_that_contradicts_a_newer_one_changes_nothing_but_that_they_do(bench):
    (emission,) = settle_then(bench, bench.label("a", bench.start, 0))
    settled = {one.identity: one.value for one in bench.emissions[-2].measurements}
    differing = [one for one in emission.measurements if settled[one.identity] != one.value]
    assert [(one.signal, one.value) for one in differing] == [("mlvitals.label.conflict.ratio", 1.0)]


def test_each_further_revision_has_the_next_number(bench):
    settle_then(bench, bench.label("b", bench.start + 2, 0))
    bench.feed([("s", [bench.label("b", bench.start + 3, 1)])], until=bench.start + 2 * HOUR)
    assert [one.measurements[0].revision for one in bench.emissions[-3:]] == [0, 1, 2]
    assert bench.value("performance.score", metric="accuracy", maturity="1h") == 1.0


def test_points_are_stamped_at_the_end_of_the_window_and_at_its_maturities(bench):
    bench.feed([("s", [bench.prediction("a", bench.start + 7 * MINUTE)])], until=bench.far)
    ends = [bench.start + HOUR + age for age in (0, HOUR, 6 * HOUR, 2 * DAY)]
    assert [one.stamp for one in bench.emissions if one.start == bench.start] == ends


def test_nothing_is_left_of_a_window_whose_horizon_has_passed(bench):
    events = [bench.prediction(one, bench.start, model_version=version) for one in "ab" for version in "12"]
    events += [bench.label("a", bench.start + HOUR), bench.label("b", bench.start + 3 * DAY, version="1")]
    events += [bench.label("stranger", bench.start + 5 * MINUTE), bench.prediction("bad", bench.start, error="timeout")]
    bench.feed([("s", events)], until=bench.start + 3 * DAY + HOUR - 1)
    assert all(bench.rows(*STATE).values())
    bench.feed([], until=bench.start + 3 * DAY + HOUR)
    assert bench.rows("prediction", "cohort", "settlement") == {"prediction": [], "cohort": [], "settlement": []}
    assert bench.rows("label") == {"label": []}


def test_a_label_stays_for_the_version_that_served_its_id_in_a_later_window(bench):
    early, late = (bench.prediction("a", bench.start + hours * HOUR, model_version=str(hours)) for hours in (0, 5))
    label = bench.label("a", bench.start + 6 * HOUR)
    bench.feed([("s", [early, late, label])], until=bench.start + 3 * DAY + HOUR)
    assert [row[2] for row in bench.rows("prediction")["prediction"]] == ["5"]
    correction = bench.label("a", bench.start + 6 * HOUR + 1, 0)
    bench.feed([("s", [correction])], until=bench.start + 3 * DAY + HOUR)
    coverage, accuracy = "label.coverage.ratio", "performance.score"
    assert bench.value(coverage, bench.start + 5 * HOUR, version="5", maturity="2d") == 1.0
    assert bench.value(accuracy, bench.start + 5 * HOUR, version="5", maturity="2d", metric="accuracy") == 0.0
    assert bench.account()["label", "accepted"] == 2
    bench.feed([], until=bench.start + 4 * DAY)
    assert bench.rows(*STATE) == EMPTY


def test_a_label_of_another_version_than_the_forgotten_one_is_still_waited_for(bench):
    served = bench.prediction("a", bench.start)
    waiting = bench.label("a", bench.start + 3 * HOUR, version="2")
    bench.feed([("s", [served, waiting])], until=bench.start + 3 * DAY + HOUR)
    assert len(bench.rows("label")["label"]) == 1
    bench.feed([], until=bench.start + 3 * DAY + 5 * HOUR)
    assert bench.rows("label") == {"label": []}
    assert bench.account()["label", "orphan"] == 1


def test_an_orphan_is_forgotten_with_the_window_that_its_horizon_falls_in(bench):
    bench.feed([("s", [bench.label("a", bench.start + 30 * MINUTE)])], until=bench.start + 3 * DAY + HOUR - 1)
    assert len(bench.rows("label")["label"]) == 1
    bench.feed([], until=bench.start + 3 * DAY + HOUR)
    assert bench.rows("label") == {"label": []}
    assert bench.account() == {("label", "orphan"): 1}


def test_a_prediction_that_comes_after_its_window_was_forgotten_is_forgotten_too(bench):
    bench.feed([("s", [bench.prediction("a", bench.start)])], until=bench.start + 4 * DAY)
    bench.feed(
        [("s", [bench.prediction("b", bench.start), bench.label("b", bench.start)])], until=bench.start + 4 * DAY
    )
    assert bench.account() == {("prediction", "accepted"): 1, ("prediction", "late"): 1, ("label", "accepted"): 1}
    bench.feed([], until=bench.start + 4 * DAY + HOUR)
    assert bench.rows(*STATE) == EMPTY


def test_windows_of_a_slow_source_are_not_forgotten_before_they_close(bench):
    with Running(bench, bench.start + 9 * DAY) as running:
        running.take(bench.prediction("a", bench.start), source="slow")
        running.take(bench.prediction("b", bench.start + 8 * DAY), source="fast")
        running.take(bench.label("a", bench.start + HOUR), source="fast")
        running.take(bench.prediction("c", bench.start + 2 * HOUR), source="slow")
    assert bench.account() == {("prediction", "accepted"): 3, ("label", "accepted"): 1}
    assert bench.value("label.coverage.ratio", maturity="2d") == 1.0


def test_without_labels_nothing_is_remembered_of_a_closed_window(make_bench):
    bench = make_bench(config=make_bench().make_config(labels=None))
    bench.feed(
        [("s", [bench.prediction("a", bench.start), bench.prediction("b", bench.start + HOUR)])],
        until=bench.start + HOUR,
    )
    bench.feed([], until=bench.start + HOUR + 1)
    assert [row[1] for row in bench.rows("cohort")["cohort"]] == [bench.start + HOUR]
    assert len(bench.rows("prediction")["prediction"]) == 1
    bench.feed([], until=bench.start + 2 * HOUR)
    assert bench.rows(*STATE) == EMPTY


@pytest.mark.parametrize("restart", [False, True])
def test_idle_time_alone_writes_nothing_within_a_window(bench, restart):
    with Running(bench, bench.start) as running:
        running.take(bench.prediction("a", bench.start))
        running.wait(20 * MINUTE)
        before = running.store.connection.total_changes
        for _ in range(100):
            running.wait(SECOND)
        assert running.store.connection.total_changes == before
        if not restart:
            running.wait(HOUR)
    if restart:
        with Running(bench, bench.start + 90 * MINUTE) as running:
            running.wait(0)
    assert bench.windows() == [bench.start]


def test_the_state_remembers_its_maturities(bench):
    bench.feed([("s", [bench.prediction("a", bench.start)])])
    labels = LabelsConfig(maturities=(Duration("1h"),), delay=Duration("1h"), horizon=Duration("3d"))
    for changed, now in ((labels, "1h"), (None, "none")):
        bench.config = msgspec.structs.replace(bench.config, labels=changed)
        expected = f"model `m`: the state was kept for maturities 1h, 6h, 2d, the configuration says {now}; "
        with pytest.raises(StateError) as error:
            bench.open()
        assert str(error.value) == expected + "go back to those, or begin a new state file"


def test_the_state_remembers_whether_silence_is_an_answer(bench):
    bench.feed([("s", [bench.prediction("a", bench.start)])])
    assert bench.config.labels is not None
    labels = msgspec.structs.replace(bench.config.labels, only="positive")
    performance = msgspec.structs.replace(bench.config.performance, positive="1")
    bench.config = msgspec.structs.replace(bench.config, labels=labels, performance=performance)
    expected = "the state was kept for all labels, the configuration says labels of the positive class alone; "
    with pytest.raises(StateError, match=expected + "go back to that, or begin a new state file"):
        bench.open()
