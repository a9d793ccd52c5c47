"""Which label counts for which maturity, and what a model's versions, classes and numbers make of it."""

from itertools import permutations
from math import log

import pytest

from mlvitals.clock import DAY, HOUR, MINUTE
from mlvitals.config import Duration, OperatingConfig, PerformanceConfig
from mlvitals.state import Store

AGES = {"1h": HOUR, "6h": 6 * HOUR, "2d": 2 * DAY}


def outcomes(bench, signal="label.coverage.ratio", **attributes):
    """Return a signal at the three maturities."""
    return [bench.value(signal, maturity=maturity, **attributes) for maturity in AGES]


def accuracy(bench):
    return outcomes(bench, "performance.score", metric="accuracy")


def serve(bench, *labels, **more):
    """Serve one prediction of class 1 and its labels, each an age, a value and perhaps more; settle every maturity."""
    events = [bench.prediction("a", bench.start, **more)]
    events += [bench.label("a", bench.start + age, value, **dict(*rest)) for age, value, *rest in labels]
    bench.feed([("s", events)], until=bench.start + 4 * DAY)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([(0, 1)], [0, 0, 0]),
        ([(0, 1), (3 * HOUR, 0)], [0, 1, 1]),
        ([(0, 1), (3 * HOUR, 0), (DAY, 1)], [0, 1, 1]),  # back again is changed nevertheless
        ([(0, 1), (MINUTE, 0)], [1, 1, 1]),
        ([(0, 1), (MINUTE, 0), (DAY, 0)], [1, 1, 1]),
        ([(0, 1), (DAY, "1.0"), (DAY + 1, True)], [0, 0, 0]),
        ([(0, 1), (DAY, 1, [("amount", 5.0)])], [0, 0, 0]),
        ([(0, 1), (3 * DAY, 0)], [0, 0, 0]),  # too late for any maturity
        ([(MINUTE, 0), (MINUTE, 1)], [1, 1, 1]),
    ],
)
def test_a_label_that_comes_to_say_something_else_is_counted_whatever_the_order(make_bench, labels, expected):
    for order in permutations(labels):
        bench = make_bench()
        served = [bench.prediction("a", bench.start), bench.prediction("b", bench.start), bench.label("b", bench.start)]
        told = [bench.label("a", bench.start + age, value, **dict(*rest)) for age, value, *rest in order]
        steps = [[*told[1:], told[0]], served, told, [*served, *told]]  # some before their prediction, some once more
        for step in steps:
            bench.feed([("s", step)], until=bench.start + MINUTE)
        bench.feed([], until=bench.start + 4 * DAY)
        assert outcomes(bench, "label.conflict.ratio") == [number / 2 for number in expected]


def test_a_cohort_of_before_they_were_counted_counts_what_changes_from_then_on(bench):
    bench.feed([("s", [bench.prediction("a", bench.start), bench.label("a", bench.start)])], until=bench.start + DAY)
    with Store.open(bench.path, ()) as store, store.transaction() as connection:
        connection.execute("UPDATE cohort SET conflicts = NULL")
    bench.feed([("s", [bench.label("a", bench.start + MINUTE, 0)])], until=bench.start + 4 * DAY)
    assert outcomes(bench, "label.conflict.ratio") == [1, 1, 1]


@pytest.mark.parametrize("maturity", AGES)
@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_a_label_counts_for_a_maturity_up_to_exactly_that_age(bench, maturity, offset):
    age = AGES[maturity] + offset
    serve(bench, (age, 1))
    assert outcomes(bench) == [float(age <= limit) for limit in AGES.values()]


def test_the_age_is_from_the_prediction_not_from_the_window(bench):
    late = bench.start + 59 * MINUTE
    events = [bench.prediction("a", late), bench.label("a", late + HOUR), bench.prediction("b", late)]
    bench.feed([("s", [*events, bench.label("b", late + HOUR + 1)])], until=bench.start + 4 * DAY)
    assert outcomes(bench) == [0.5, 1.0, 1.0]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([(0, 1)], [1, 1, 1]),
        ([(0, 1), (3 * HOUR, 0)], [1, 0, 0]),
        ([(0, 1), (3 * HOUR, 0), (DAY, 1)], [1, 0, 1]),
        ([(0, 1), (MINUTE, 0)], [0, 0, 0]),
        ([(0, 1), (3 * DAY, 0)], [1, 1, 1]),
        ([(-DAY, 0)], [0, 0, 0]),
        ([(-DAY, 0), (-HOUR, 1)], [1, 1, 1]),
        ([(-HOUR, 0), (2 * HOUR, 1)], [0, 1, 1]),
        ([(2 * DAY + 1, 0)], [None, None, None]),
        ([(MINUTE, 0), (MINUTE, 1)], [1, 1, 1]),
        ([(MINUTE, "0"), (MINUTE, "1.0"), (MINUTE, True)], [1, 1, 1]),
        ([(MINUTE, 1), (MINUTE, "10")], [0, 0, 0]),  # "10" comes after "1"
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_the_newest_label_in_time_counts_and_ties_go_by_content(bench, labels, expected, backwards):
    serve(bench, *(labels[::-1] if backwards else labels))
    assert accuracy(bench) == expected


@pytest.mark.parametrize("labels_lead", [False, True])
@pytest.mark.parametrize("restart", [False, True])
def test_a_correction_takes_back_what_it_corrects(make_bench, labels_lead, restart):
    bench, plain = make_bench(), make_bench()
    served = [bench.prediction("a", bench.start)]
    labels = [bench.label("a", bench.start + 1, 0), bench.label("a", bench.start + 2, 1)]
    batches = [("s", events) for events in ([labels[:1], served, labels[1:]] if labels_lead else [served, labels])]
    for batch in [[one] for one in batches] if restart else [batches]:
        bench.feed(batch, finish=False)
    plain.feed([("s", [*served, labels[1]])], finish=False)
    assert bench.cells() == plain.cells()


def test_equal_labels_are_one_however_they_are_spelled(bench):
    serve(bench, (MINUTE, 1), (MINUTE, "1"), (MINUTE, 1.0), (MINUTE, True), (MINUTE, "true"))
    assert bench.account() == {("prediction", "accepted"): 1, ("label", "accepted"): 1, ("label", "duplicate"): 4}
    assert outcomes(bench) == [1.0, 1.0, 1.0]


def test_a_label_joins_every_version_that_served_its_id_or_the_one_it_names(bench):
    events = [bench.prediction(one, bench.start, model_version=version) for one in "ab" for version in "12"]
    events += [bench.label("a", bench.start), bench.label("b", bench.start, version="2")]
    bench.feed([("s", events)], until=bench.start + 4 * DAY)
    ratio = "label.coverage.ratio"
    assert [bench.value(ratio, version=version, maturity="1h") for version in "12"] == [0.5, 1.0]


def test_a_prediction_without_a_version_is_of_an_unknown_one(bench):
    event = {key: value for key, value in bench.prediction("a", bench.start).items() if key != "model_version"}
    bench.feed([("s", [event, bench.label("a", bench.start)])], until=bench.start + 4 * DAY)
    assert bench.value("label.coverage.ratio", version="unknown", maturity="1h") == 1.0


@pytest.mark.parametrize(
    ("prediction", "right_for"),
    [
        ({"label": "0", "score": 0.9}, 0),
        ({"label": 1, "score": 0.1}, 1),
        ({"score": 0.5}, 1),
        ({"score": 0.49}, 0),
    ],
)
def test_the_logged_class_wins_over_the_threshold(bench, prediction, right_for):
    serve(bench, (MINUTE, right_for), prediction=prediction)
    assert accuracy(bench) == [1.0, 1.0, 1.0]


def test_the_configured_threshold_and_positive_class_decide_where_no_class_is_logged(make_bench):
    config = make_bench().make_config(performance=PerformanceConfig(threshold=0.8, positive="1"))
    bench = make_bench(config=config)
    events = [
        bench.prediction(one, bench.start, prediction={"score": score}) for one, score in (("a", 0.79), ("b", 0.8))
    ]
    events += [bench.label("a", bench.start, 0), bench.label("b", bench.start, 1)]
    bench.feed([("s", events)], until=bench.start + 4 * DAY)
    assert accuracy(bench) == [1.0, 1.0, 1.0]


def test_a_failed_request_has_no_share_in_performance(bench):
    serve(bench, (MINUTE, 0), error="timeout")
    assert outcomes(bench) == [None, None, None]
    assert accuracy(bench) == [None, None, None]


def test_a_regression_is_judged_by_its_errors(make_bench):
    config = make_bench().make_config(performance=PerformanceConfig(metrics=("mae", "rmse")))
    bench = make_bench(config=config, task="regression")
    events = [
        bench.prediction(one, bench.start, prediction={"value": value})
        for one, value in (("a", 10), ("b", 20), ("c", 7))
    ]
    events += [
        bench.label("a", bench.start, "13"),
        bench.label("b", bench.start, 24),
        bench.label("c", bench.start, "lost"),
    ]
    bench.feed([("s", events)], until=bench.start + 4 * DAY)
    assert outcomes(bench) == [1.0, 1.0, 1.0]
    assert outcomes(bench, "performance.error", metric="mae") == [3.5, 3.5, 3.5]
    assert outcomes(bench, "performance.error", metric="rmse") == [12.5**0.5] * 3
    assert outcomes(bench, "performance.error", metric="bias") == [None] * 3, "it was not asked for"


def test_a_labelled_score_that_is_no_probability_silences_what_needs_probabilities(bench):
    scores = {"a": 0.75, "b": 0.75, "c": 1.5, "d": None}
    events = [
        bench.prediction(one, bench.start, prediction={"label": "1", "score": score}) for one, score in scores.items()
    ]
    ages = {"a": MINUTE, "b": MINUTE, "c": 2 * HOUR, "d": MINUTE}
    events += [bench.label(one, bench.start + age, int(one != "b")) for one, age in ages.items()]
    bench.feed([("s", events)], until=bench.start + 4 * DAY)
    assert outcomes(bench, "performance.error", metric="brier") == [(0.25**2 + 0.75**2) / 2, None, None]
    expected = pytest.approx(-(log(0.75) + log(0.25)) / 2)
    assert outcomes(bench, "performance.error", metric="log_loss") == [expected, None, None]
    assert outcomes(bench, "performance.error", metric="calibration_error")[1:] == [None, None]
    assert outcomes(bench, "performance.score", metric="precision") == [2 / 3, 3 / 4, 3 / 4]


def test_more_than_two_classes_are_judged_together_and_each_by_itself(make_bench):
    bench = make_bench(task="multiclass")
    told = {"a": ("cat", "cat"), "b": ("dog", "cat"), "c": ("owl", "newt"), "d": ("newt", "newt")}
    events = [bench.prediction(one, bench.start, prediction={"label": said}) for one, (said, _) in told.items()]
    events += [bench.label(one, bench.start, true) for one, (_, true) in told.items()]
    bench.feed([("s", events)], until=bench.start + 4 * DAY)
    # Whether one class that the reference did not know is another such class cannot be told: `d` is not judged.
    assert accuracy(bench) == [1 / 3] * 3
    assert outcomes(bench, "performance.score", metric="recall") == [1 / 2] * 3, "newt is no class of the reference"
    by_class = {"metric": "recall", "class": "cat"}
    assert outcomes(bench, "performance.class.score", **by_class) == [1 / 2] * 3
    assert bench.value("prediction.class.ratio", **{"class": "cat"}) == 0.25


def test_probabilities_alone_tell_the_class_and_are_held_against_the_truth(make_bench):
    bench = make_bench(task="distribution")
    said = {
        "a": ({"cat": 0.7, "dog": 0.2, "owl": 0.1}, "cat"),
        "b": ({"cat": 0.25, "dog": 0.5, "owl": 0.25}, "owl"),
        "c": ({"dog": 0.6, "owl": 0.4}, "cat"),
        "d": ({"dog": 1.0}, "newt"),  # no class of the reference: nothing is remembered of its probability
    }
    events = [
        bench.prediction(one, bench.start, prediction={"probabilities": shares}) for one, (shares, _) in said.items()
    ]
    events += [bench.label(one, bench.start + MINUTE, true) for one, (_, true) in said.items()]
    bench.feed([("s", events)], until=bench.start + 4 * DAY)
    assert accuracy(bench) == [1 / 4] * 3
    losses = [-log(0.7), -log(0.25), -log(2**-52)]
    assert outcomes(bench, "performance.error", metric="log_loss") == pytest.approx([sum(losses) / 3] * 3, rel=1e-7)
    briers = [0.3**2 + 0.2**2 + 0.1**2, 0.25**2 + 0.5**2 + 0.75**2, 1 + 0.6**2 + 0.4**2]
    assert outcomes(bench, "performance.error", metric="brier") == pytest.approx([sum(briers) / 3] * 3, rel=1e-7)
    assert outcomes(bench, "performance.error", metric="calibration_error") != [None] * 3, "of the largest probability"


def test_a_row_whose_probabilities_are_no_distribution_silences_what_needs_one(make_bench):
    bench = make_bench(task="distribution")
    shares = {"a": {"cat": 0.5, "dog": 0.5}, "b": {"cat": 0.5, "dog": 0.25}}  # the rest of b was not logged
    events = [bench.prediction(one, bench.start, prediction={"probabilities": each}) for one, each in shares.items()]
    events += [bench.label(one, bench.start + age, "cat") for one, age in {"a": MINUTE, "b": 2 * HOUR}.items()]
    bench.feed([("s", events)], until=bench.start + 4 * DAY)
    assert outcomes(bench, "performance.error", metric="brier") == [0.5, None, None]
    assert accuracy(bench) == [1.0, 1.0, 1.0]


def test_a_binary_model_that_logs_probabilities_alone_is_judged_like_one_that_logs_their_score(make_bench):
    scores = {f"p{index}": index / 16 for index in range(17)}
    told = []
    for of in (lambda score: {"score": score}, lambda score: {"probabilities": {"0": 1 - score, "1": score}}):
        bench = make_bench(config=make_bench().make_config(operating=OperatingConfig(first=Duration("2h"))))
        events = []
        for hour in range(3):
            for one, score in scores.items():
                time = bench.start + hour * HOUR
                events.append(bench.prediction(f"{one}-{hour}", time, prediction=of(score)))
                events.append(bench.label(f"{one}-{hour}", time + MINUTE, int(score > 0.4)))
        bench.feed([("s", events)], until=bench.start + 4 * DAY)
        measured = {
            identity: (one.value, one.samples)
            for identity, one in bench.latest().items()
            if one.signal.startswith(("mlvitals.performance", "mlvitals.prediction"))
        }
        told.append(measured)
    assert told[0] == told[1]
    assert all(any(name in str(identity) for identity in told[0]) for name in ("roc_auc", "class.ratio"))
