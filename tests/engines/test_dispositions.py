"""What becomes of each row: a table of cases, and which disposition goes before which."""

import pytest

from mlvitals.clock import DAY, HOUR, MINUTE

DISPOSITIONS = {
    "a prediction is accepted": (
        lambda p, _, t: [[p("a", t)]],
        {("prediction", "accepted"): 1},
    ),
    "an exact copy is a duplicate": (
        lambda p, _, t: [[p("a", t), p("a", t)], [p("a", t)]],
        {("prediction", "accepted"): 1, ("prediction", "duplicate"): 2},
    ),
    "one id with other content is a conflict": (
        lambda p, _, t: [[p("a", t), p("a", t, latency_ms=1)], [p("a", t + 1)]],
        {("prediction", "accepted"): 1, ("prediction", "conflict"): 2},
    ),
    "another version may serve the same id": (
        lambda p, _, t: [[p("a", t), p("a", t, model_version="2")], [p("a", t, model_version="3")]],
        {("prediction", "accepted"): 3},
    ),
    "a time more than an hour ahead of the clock is parked": (
        lambda p, _, t: [[p("a", t), p("b", t + DAY + HOUR), p("c", t + DAY + HOUR + 1)]],
        {("prediction", "accepted"): 2, ("prediction", "parked"): 1},
    ),
    "a copy of a parked row is parked": (
        lambda p, _, t: [[p("a", t + 3 * DAY), p("a", t + 3 * DAY)]],
        {("prediction", "parked"): 2},
    ),
    "an unknown model goes before an implausible time": (
        lambda p, _, t: [[p("a", t, model="who"), p("b", t + 3 * DAY, model="who")]],
        {("prediction", "unknown_model"): 2},
    ),
    "a label of an unknown model is of an unknown model": (
        lambda _, y, t: [[y("a", t, model="who"), y("a", t + 3 * DAY, model="who")]],
        {("label", "unknown_model"): 2},
    ),
    "a parked label is parked even where its prediction is known": (
        lambda p, y, t: [[p("a", t), y("a", t + 3 * DAY)]],
        {("prediction", "accepted"): 1, ("label", "parked"): 1},
    ),
    "a label without its prediction is an orphan": (
        lambda _, y, t: [[y("a", t)]],
        {("label", "orphan"): 1},
    ),
    "a copy of an orphan is a duplicate": (
        lambda _, y, t: [[y("a", t)], [y("a", t), y("a", t, 1.0)]],
        {("label", "orphan"): 1, ("label", "duplicate"): 2},
    ),
    "a correction is no duplicate": (
        lambda p, y, t: [[p("a", t), y("a", t, 0), y("a", t, 1), y("a", t + 1, 1)]],
        {("prediction", "accepted"): 1, ("label", "accepted"): 3},
    ),
    "an orphan is accepted when its prediction comes": (
        lambda p, y, t: [[y("a", t + HOUR)], [p("a", t)]],
        {("prediction", "accepted"): 1, ("label", "accepted"): 1},
    ),
    "an orphan past the horizon is expired when its prediction comes": (
        lambda p, y, t: [[y("a", t + 3 * DAY + 1), y("b", t + 3 * DAY)], [p("a", t), p("b", t)]],
        {("prediction", "accepted"): 2, ("label", "expired"): 1, ("label", "accepted"): 1},
    ),
    "a copy of a label past the horizon is a duplicate": (
        lambda p, y, t: [[p("a", t), y("a", t + 4 * DAY)], [y("a", t + 4 * DAY)]],
        {("prediction", "accepted"): 1, ("label", "expired"): 1, ("label", "duplicate"): 1},
    ),
    "a label that is early for its prediction is accepted": (
        lambda p, y, t: [[y("a", t - 9 * DAY)], [p("a", t)]],
        {("prediction", "accepted"): 1, ("label", "accepted"): 1},
    ),
    "a label of a version waits for that version": (
        lambda p, y, t: [[p("a", t), y("a", t, version="2"), y("a", t, version=1)]],
        {("prediction", "accepted"): 1, ("label", "orphan"): 1, ("label", "accepted"): 1},
    ),
    "a failed request is accepted, and so is its label": (
        lambda p, y, t: [[p("a", t, error="timeout", prediction={}), y("a", t)]],
        {("prediction", "accepted"): 1, ("label", "accepted"): 1},
    ),
    "a copy of a failed request is a duplicate": (
        lambda p, _, t: [[p("a", t, error="timeout", prediction={})] * 2, [p("a", t, error="timeout", prediction={})]],
        {("prediction", "accepted"): 1, ("prediction", "duplicate"): 2},
    ),
    "a broken line is unparseable": (
        lambda p, _, t: [[p("a", t), {"event": "prediction", "model": "m"}]],
        {("prediction", "accepted"): 1, ("row", "unparseable"): 1},
    ),
    "an event of another kind is skipped": (
        lambda p, _, t: [[p("a", t), {"event": "heartbeat", "timestamp": "2024-10-04T00:00:00Z"}]],
        {("prediction", "accepted"): 1, ("row", "skipped"): 1},
    ),
    "a change is accepted": (
        lambda _p, _y, _t: [[{"event": "change", "timestamp": "2024-10-04T00:00:00Z", "kind": "deploy", "text": "v2"}]],
        {("change", "accepted"): 1},
    ),
}


@pytest.mark.parametrize("case", DISPOSITIONS, ids=lambda case: case.replace(" ", "-"))
def test_each_row_has_its_disposition(bench, case):
    tell, expected = DISPOSITIONS[case]
    # The clock stands a day on, or at the latest event that the case takes for plausible.
    now = bench.start + (5 * DAY if "horizon" in case else DAY)
    bench.feed([("s", events) for events in tell(bench.prediction, bench.label, bench.start)], now=now)
    assert bench.account() == expected


def close_first_window(bench):
    bench.feed([("s", [bench.prediction("first", bench.start), bench.prediction("next", bench.start + 2 * HOUR)])])
    assert bench.windows() == [bench.start]


@pytest.mark.parametrize(
    ("more", "disposition"),
    [
        ({}, "duplicate"),
        ({"latency_ms": 5}, "conflict"),
        ({"prediction_id": "new"}, "late"),
        ({"prediction_id": "new", "model": "who"}, "unknown_model"),
        ({"prediction_id": "new", "error": "timeout"}, "late"),
    ],
)
def test_a_row_of_a_closed_window_is_late_unless_something_goes_before(bench, more, disposition):
    close_first_window(bench)
    bench.feed([("s", [bench.prediction("first", bench.start, **more)])])
    assert bench.account() == {("prediction", "accepted"): 2, ("prediction", disposition): 1}


def test_the_first_of_conflicting_predictions_stands(bench):
    first = bench.prediction("a", bench.start, prediction={"label": "1", "score": 0.9})
    other = bench.prediction("a", bench.start, prediction={"label": "0", "score": 0.1})
    bench.feed([("s", [first, other]), ("t", [other]), ("s", [bench.label("a", bench.start + 1)])], until=bench.far)
    assert bench.value("prediction.count") == 1.0
    assert bench.value("performance.score", metric="accuracy", maturity="1h") == 1.0


def test_a_late_prediction_counts_nowhere_but_its_label_is_no_orphan(bench):
    close_first_window(bench)
    bench.feed([("s", [bench.prediction("late", bench.start + 1), bench.label("late", bench.start + 2)])])
    bench.feed([("s", [bench.prediction("on", bench.start + 9 * HOUR)])])
    assert bench.account() == {("prediction", "accepted"): 3, ("prediction", "late"): 1, ("label", "accepted"): 1}
    assert bench.value("prediction.count") == 1.0
    assert bench.value("label.coverage.ratio", maturity="6h") == 0.0


def test_a_copy_of_a_late_prediction_is_a_duplicate(bench):
    close_first_window(bench)
    bench.feed(
        [("s", [bench.prediction("late", bench.start + 1)] * 2), ("s", [bench.prediction("late", bench.start + 1)])]
    )
    assert bench.account() == {("prediction", "accepted"): 2, ("prediction", "late"): 1, ("prediction", "duplicate"): 2}


def test_labels_are_never_late(bench):
    bench.feed([("s", [bench.prediction("a", bench.start), bench.prediction("b", bench.start + DAY)])])
    bench.feed([("s", [bench.label("a", bench.start + MINUTE)])])
    assert bench.account()["label", "accepted"] == 1
    assert bench.value("label.coverage.ratio", maturity="1h") == 1.0


def test_labels_of_a_model_that_joins_none_are_skipped(make_bench):
    bench = make_bench(config=make_bench().make_config(labels=None))
    bench.feed(
        [("s", [bench.prediction("a", bench.start), bench.label("a", bench.start), bench.label("b", bench.far * 2)])]
    )
    assert bench.account() == {("prediction", "accepted"): 1, ("label", "skipped"): 2}


def test_copies_count_where_nobody_looks_for_them(make_bench):
    bench = make_bench(config=make_bench().make_config(deduplicate=False, labels=None))
    bench.feed([("s", [bench.prediction("a", bench.start)] * 3)], until=bench.start + DAY)
    assert bench.account() == {("prediction", "accepted"): 3}
    assert bench.value("prediction.count") == 3.0
    assert bench.rows("prediction") == {"prediction": []}


def test_a_failed_request_is_no_prediction(bench):
    good, bad = bench.prediction("a", bench.start), bench.prediction("b", bench.start, error="timeout", prediction={})
    bench.feed([("s", [good, bad, bad])], until=bench.start + DAY)
    assert bench.value("prediction.count") == 1.0
    assert served(bench) == [(1, 1)]


@pytest.mark.parametrize(
    ("error", "failures"), [(False, 0), ("", 0), ("false", 0), (0, 0), (True, 1), ("503", 1), (503, 1)]
)
def test_an_error_that_says_there_was_none_is_none(bench, error, failures):
    bench.feed([("s", [bench.prediction("a", bench.start, error=error)])], finish=False)
    assert served(bench) == [(1 - failures, failures)]


def served(bench):
    return [(cohort.summary.predictions, cohort.summary.errors) for cohort in bench.cohorts().values()]


def test_models_in_one_stream_are_told_apart(make_bench):
    one = make_bench().make_config()
    other = make_bench().make_config(name="n", labels=None)
    bench = make_bench(config=one, others=(other,))
    events = [
        bench.prediction("a", bench.start),
        bench.prediction("a", bench.start, model="n"),
        bench.label("a", bench.start),
    ]
    bench.feed(
        [("s", [*events, bench.prediction("b", bench.start, model="n"), bench.label("a", bench.start, model="n")])]
    )
    store, _ = bench.open()
    with store:
        rows = dict(store.connection.execute("SELECT model || ' ' || event || ' ' || disposition, rows FROM account"))
    assert rows == {
        "m prediction accepted": 1,
        "m label accepted": 1,
        "n prediction accepted": 2,
        "n label skipped": 1,
    }


def test_a_reason_is_kept_of_what_could_not_be_read(bench):
    bench.feed([("s", [{"event": "prediction", "model": "m"}] * 50)])
    (example,) = {reason for _, reason in bench.rows("example")["example"] if reason.startswith("test:1:")}
    assert example == "test:1: no time"


def test_a_row_ahead_of_a_clock_that_was_set_back_is_parked_and_not_late_too(bench):
    close_first_window(bench)
    bench.feed([("s", [bench.prediction("new", bench.start)])], now=bench.start - 2 * HOUR)
    assert bench.account() == {("prediction", "accepted"): 2, ("prediction", "parked"): 1}
