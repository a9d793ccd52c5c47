"""What a window is measured beside: the window before it, the other versions, its repeats."""

from dataclasses import replace

import pytest

from mlvitals.clock import DAY, HOUR, MINUTE
from mlvitals.config import DecisionsConfig
from mlvitals.engines.closing import Closer
from mlvitals.engines.deciding import Deciding
from mlvitals.engines.judging import Judge
from mlvitals.engines.page_budget import PageBudget


@pytest.fixture
def looked(monkeypatch):
    """Return what each cohort that closes is measured beside, by its key; the real judge goes on measuring."""
    seen = {}
    window = Judge.window

    def note(judge, cohort, surroundings, *others):
        assert cohort.key not in seen, "measured twice"
        seen[cohort.key] = surroundings
        return window(judge, cohort, surroundings, *others)

    monkeypatch.setattr(Judge, "window", note)
    return seen


def serve(bench, hour, number=4, version="1", **more):
    return [
        bench.prediction(
            f"{version}-{hour}-{one}", bench.start + hour * HOUR + one * MINUTE, model_version=version, **more
        )
        for one in range(number)
    ]


def predictions(summary):
    return None if summary is None else summary.predictions


def previous(looked, bench):
    return {(key.start - bench.start) // HOUR: predictions(one.previous) for key, one in looked.items()}


def others(looked):
    return {key.version: predictions(one.others) for key, one in looked.items()}


def test_the_previous_window_is_the_last_that_served(bench, looked):
    failed = serve(bench, 2, error="timeout", prediction={})
    bench.feed([("s", [*serve(bench, 0, 3), *failed, *serve(bench, 4, 5), *serve(bench, 5, 2)])])
    bench.feed([], until=bench.start + 6 * HOUR)
    assert previous(looked, bench) == {0: None, 1: None, 2: None, 3: None, 4: 3, 5: 5}


def test_the_previous_window_survives_its_own_oblivion_and_a_restart(make_bench, looked):
    bench = make_bench(config=make_bench().make_config(labels=None))
    bench.feed([("s", serve(bench, 0, 3))], until=bench.start + 60 * HOUR)
    assert bench.cells() == []
    bench.feed([("s", serve(bench, 70, 1))], until=bench.start + 71 * HOUR)
    assert previous(looked, bench)[70] == 3


@pytest.mark.parametrize(("days", "near"), [(92, True), (93, False)])
def test_a_window_of_long_ago_is_no_neighbour(bench, looked, days, near):
    bench.feed([("s", [*serve(bench, 0, 3), *serve(bench, days * 24)])], until=bench.start + days * DAY + HOUR)
    assert previous(looked, bench)[days * 24] == (3 if near else None)
    assert len(bench.rows("previous")["previous"]) == 1
    bench.feed([], until=bench.start + 2 * days * DAY + 4 * DAY)  # the labels' horizon of three days, and one more
    assert bench.rows("previous")["previous"] == []


def test_each_version_and_segment_has_a_previous_window_of_its_own(make_bench, looked):
    bench = make_bench(config=make_bench().make_config(segments=("c",)))
    events = [
        *serve(bench, 0, 3, "1", features={"c": "a"}),
        *serve(bench, 0, 2, "2", features={"c": "b"}),
        *serve(bench, 1, 1, "1", features={"c": "a"}),
        *serve(bench, 1, 1, "2", features={"c": "c"}),
    ]
    bench.feed([("s", events)], until=bench.start + 2 * HOUR)
    later = {
        (key.version, key.segment): predictions(one.previous)
        for key, one in looked.items()
        if key.start == bench.start + HOUR
    }
    assert later == {("1", ""): 3, ("1", "c=a"): 3, ("2", ""): 2, ("2", "c=c"): None}


def test_the_others_are_all_other_versions_of_the_window_and_segment(make_bench, looked):
    bench = make_bench(config=make_bench().make_config(segments=("c",)))
    events = [
        *serve(bench, 0, 3, "1", features={"c": "a", "x": 1}),
        *serve(bench, 0, 2, "2", features={"c": "a", "x": 2}),
        *serve(bench, 0, 7, "3", features={"c": "b", "x": 3}),
        *serve(bench, 0, 1, "4", error="timeout", prediction={}),
    ]
    bench.feed([("s", events)], until=bench.start + HOUR)
    found = {(key.version, key.segment): predictions(one.others) for key, one in looked.items()}
    assert found == {
        ("1", ""): 9,
        ("1", "c=a"): 2,
        ("2", ""): 10,
        ("2", "c=a"): 3,
        ("3", ""): 5,
        ("3", "c=b"): None,
        ("4", ""): 12,
        ("4", "c=a"): 5,
    }


def test_a_version_alone_has_no_others(bench, looked):
    bench.feed([("s", serve(bench, 0))], until=bench.start + 2 * HOUR)
    assert [one.others for one in looked.values()] == [None, None]


def test_versions_with_score_bins_of_their_own_are_compared_by_what_is_counted_alike(bench, looked):
    own = bench.make_reference(bench.config, version="2", seed=2)
    features = bench.make_reference(bench.config).layout.features
    bench.training = {"2": replace(own, summary=replace(own.summary, layout=replace(own.layout, features=features)))}
    events = [event for version, number in (("1", 5), ("2", 3), ("3", 2)) for event in serve(bench, 0, number, version)]
    bench.feed([("s", events)], until=bench.start + HOUR)
    beside = {key.version: (one.others, bench.cohorts()[key].summary) for key, one in looked.items()}
    for version, rows, scored in (("1", 5, 2), ("2", 7, 0), ("3", 8, 5)):
        summary, own_summary = beside[version]
        assert summary.layout == own_summary.layout
        assert summary.predictions == rows
        assert [summary.feature(feature).total for feature in summary.layout.features] == [rows] * len(features)
        assert summary.score.total == scored


def test_a_restart_between_the_versions_of_a_window_changes_nothing(make_bench, looked, monkeypatch):
    bench = make_bench()
    events = [event for one in range(9) for event in serve(bench, 0, one + 1, str(one))]
    bench.feed([("s", events)], until=bench.start + HOUR, finish=False)
    monkeypatch.setattr("mlvitals.engines.closing.COHORTS_PER_STEP", 2)
    done = 0
    while done < 9:
        store, _ = bench.open(until=bench.start + HOUR)
        run = bench.runs["m"]
        with store, store.transaction():
            run.advance(bench.start + HOUR, bench.start + HOUR)
            judge = Judge(model="m", environment="test", references=run.references, metrics=frozenset())
            next(Closer(run, judge, Deciding(run, PageBudget(DecisionsConfig(), 2))).steps())
            run.dirty = True
            run.flush()
        done = len(looked)
    assert others(looked) == {str(one): 45 - (one + 1) for one in range(9)}


def test_repeats_are_told_of_the_window_of_their_own_time(make_bench, looked):
    bench = make_bench(config=make_bench().make_config(segments=("c",)))
    first, second = serve(bench, 0), serve(bench, 1)
    elsewhere = bench.prediction(first[0]["prediction_id"], bench.start + HOUR + 1)
    bench.feed([("s", [*first, *second, first[1], first[1], second[0], elsewhere])], until=bench.start + 3 * HOUR)
    found = {((key.start - bench.start) // HOUR, key.segment): one.repeats for key, one in looked.items()}
    assert found == {(0, ""): 2, (0, "c=a"): 2, (1, ""): 2, (1, "c=a"): 2, (2, ""): 0}
    assert bench.value("prediction.duplicate.ratio", bench.start + HOUR) == 2 / 6
    assert bench.value("prediction.duplicate.ratio", bench.start) == 2 / 6
    assert bench.value("prediction.count") == 4.0


def test_copies_of_late_rows_are_not_told_of_a_window_that_is_closed(bench, looked):
    late = bench.prediction("late", bench.start)
    bench.feed([("s", [*serve(bench, 0), *serve(bench, 2)])])
    bench.feed([("s", [late, late, serve(bench, 0)[0], *serve(bench, 3)])], until=bench.start + 4 * HOUR)
    assert [one.repeats for key, one in looked.items() if key.start == bench.start] == [0]
    assert bench.account()["prediction", "duplicate"] == 2
    assert sum(cohort.repeats for cohort in bench.cohorts().values()) == 0


def test_where_ids_are_not_remembered_nothing_is_said_of_repeats(make_bench, looked):
    bench = make_bench(config=make_bench().make_config(deduplicate=False))
    first = serve(bench, 0)
    bench.feed([("s", [*first, *first])], until=bench.start + HOUR)
    assert [one.repeats for one in looked.values()] == [None]
    assert bench.value("prediction.duplicate.ratio") is None
