"""What is told of a version beside its segments and another version, whatever came first."""

import random

import pytest

from mlvitals.clock import DAY, HOUR

ADVANTAGE, WORST = "performance.advantage", "segment.worst"
ABOUT = {"metric": "accuracy", "maturity": "6h"}
BESIDE = {**ABOUT, "comparison": "version"}


def serve(bench, version, decide, ids=range(80), hour=0):
    return [
        bench.prediction(
            f"p{one}",
            bench.start + hour * HOUR + one,
            model_version=version,
            features={"x": 1.0, "c": "ab"[one % 2], "channel": ["web", "app"][one % 4 == 0]},
            prediction={"label": str(decide(one)), "score": 0.5},
        )
        for one in ids
    ]


def labels(bench, ids=range(80), age=2 * HOUR):
    """Every third one is positive."""
    return [bench.label(f"p{one}", bench.start + age, int(one % 3 == 0)) for one in ids]


def mostly(one):
    return int(one % 3 == 0) if one % 10 else 1


def roughly(one):
    return int(one % 3 == 0) if one % 4 else 1


def story(bench):
    return [*serve(bench, "1", mostly), *serve(bench, "2", roughly), *labels(bench)]


def measured(bench, signal, **about):
    return [
        one
        for one in bench.latest().values()
        if one.signal == f"mlvitals.{signal}" and about.items() <= {**one.attributes, "v": one.model_version}.items()
    ]


def test_versions_that_served_the_same_ids_are_compared_on_these(bench):
    bench.feed([("s", story(bench))], until=bench.start + DAY)
    mine, theirs = (measured(bench, ADVANTAGE, **BESIDE, v=version) for version in "12")
    right = [[decide(one) == (one % 3 == 0) for one in range(80)] for decide in (mostly, roughly)]
    only = sum(one and not other for one, other in zip(*right, strict=True))
    other = sum(two and not one for one, two in zip(*right, strict=True))
    assert [(one.value, one.samples) for one in mine] == [((only - other) / 80, 80)]
    assert mine[0].evidence == {
        "other_version": "2",
        "method": "paired",
        "only_this_right": float(only),
        "only_other_right": float(other),
    }
    assert (theirs[0].value, theirs[0].lower, theirs[0].upper) == (-mine[0].value, -mine[0].upper, -mine[0].lower)


def test_versions_that_served_other_ids_are_compared_as_cohorts(bench):
    events = [*serve(bench, "1", mostly, range(40)), *serve(bench, "2", roughly, range(40, 80)), *labels(bench)]
    bench.feed([("s", events)], until=bench.start + DAY)
    (one,) = measured(bench, ADVANTAGE, **BESIDE, v="1")
    assert one.evidence["method"] == "independent"
    assert one.value == pytest.approx(one.evidence["this"] - one.evidence["other"])
    assert (one.samples, one.reference_samples) == (40, 40)


def test_the_other_version_is_the_one_that_served_most(bench):
    events = [*serve(bench, "9", mostly), *serve(bench, "2", mostly, range(60)), *serve(bench, "5", mostly, range(30))]
    bench.feed([("s", [*events, *labels(bench)])], until=bench.start + DAY)
    found = {one.model_version: one.evidence["other_version"] for one in measured(bench, ADVANTAGE, **BESIDE)}
    assert found == {"9": "2", "2": "9", "5": "9"}


def test_a_version_that_serves_alone_has_no_advantage(bench):
    bench.feed([("s", [*serve(bench, "1", mostly), *labels(bench)])], until=bench.start + DAY)
    assert measured(bench, ADVANTAGE) == []


def test_another_versions_late_label_revises_what_is_told_of_this_one(bench):
    bench.feed(
        [("s", [*serve(bench, "1", mostly, range(40)), *serve(bench, "2", roughly, range(40, 80))])], finish=False
    )
    bench.feed([("s", labels(bench, range(60)))], until=bench.start + DAY)
    before = measured(bench, ADVANTAGE, **BESIDE, v="1")[0]
    bench.feed([("s", labels(bench, range(60, 80)))], until=bench.start + DAY)
    after = measured(bench, ADVANTAGE, **BESIDE, v="1")[0]
    assert (before.reference_samples, after.reference_samples) == (20, 40)
    assert before.value != after.value


@pytest.mark.parametrize("seed", range(4))
def test_what_is_told_of_two_versions_does_not_depend_on_what_came_first(make_bench, seed):
    first, second = (make_bench() for _ in range(2))
    corrected = [first.label(f"p{one}", first.start + 3 * HOUR, 1) for one in range(0, 80, 7)]
    limited = [first.label(f"p{one}", first.start + 4 * HOUR, 0, version="2") for one in range(0, 80, 11)]
    events = [*story(first), *corrected, *limited]
    first.feed([("s", events)], until=first.start + DAY)
    mixed = list(events)
    random.Random(seed).shuffle(mixed)
    cuts = range(0, len(mixed), 37)
    second.feed([("s", mixed[cut : cut + 37]) for cut in cuts], until=second.start + DAY)
    assert second.rows("paired") == first.rows("paired")
    assert second.latest() == first.latest()


def test_a_label_that_names_its_version_says_nothing_of_the_other(bench):
    only = [bench.label(f"p{one}", bench.start + 2 * HOUR, 1, version="2") for one in range(80)]
    bench.feed([("s", [*serve(bench, "1", mostly), *serve(bench, "2", roughly), *only])], until=bench.start + DAY)
    assert bench.rows("paired") == {"paired": []}


def test_a_corrected_label_leaves_no_trace(make_bench):
    plain, corrected = (make_bench() for _ in range(2))
    plain.feed([("s", story(plain))], until=plain.start + DAY)
    wrong = [corrected.label(f"p{one}", corrected.start + HOUR + HOUR // 2, 1) for one in range(80)]
    corrected.feed([("s", [*story(corrected)[:160], *wrong])], finish=False)
    corrected.feed([("s", labels(corrected))], until=corrected.start + DAY)
    assert corrected.rows("paired") == plain.rows("paired")


def test_what_two_versions_shared_is_forgotten_with_their_window(bench):
    bench.feed([("s", story(bench))], until=bench.start + DAY)
    assert len(bench.rows("paired")["paired"]) == 2
    bench.feed([("s", [])], until=bench.start + 5 * DAY)
    assert bench.rows("paired") == {"paired": []}


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_shadows_of_every_kind_of_model_are_compared(make_bench, task):
    bench = make_bench(task=task)
    about = "mae" if task == "regression" else "accuracy"
    events = []
    for version, error in (("1", 1), ("2", 2)):
        for one in range(60):
            wrong = one % 4 < error
            value = (
                {"value": 50.0 + one + error * (-1) ** one}
                if task == "regression"
                else {"label": "dog" if wrong else "cat"}
            )
            events.append(bench.prediction(f"p{one}", bench.start + one, model_version=version, prediction=value))
    truth = [
        bench.label(f"p{one}", bench.start + 2 * HOUR, 50.0 + one if task == "regression" else "cat")
        for one in range(60)
    ]
    bench.feed([("s", [*events, *truth])], until=bench.start + DAY)
    (one,) = measured(bench, ADVANTAGE, metric=about, maturity="6h", v="1")
    assert one.evidence["method"] == "paired"
    assert one.value == pytest.approx(1.0 if task == "regression" else 0.25)
    assert one.lower > 0


def test_the_worst_segment_is_told_of_the_whole_and_of_no_segment(make_bench):
    bench = make_bench(config=make_bench().make_config(segments=("channel", "c")))
    wrong = [*serve(bench, "1", lambda one: 1 - (one % 3 == 0) if one % 2 else int(one % 3 == 0)), *labels(bench)]
    bench.feed([("s", wrong)], until=bench.start + DAY)
    (worst,) = measured(bench, WORST, **ABOUT)
    assert worst.evidence["worst_segment"] == "c=b"
    assert worst.value == 1.0
    assert (
        worst.evidence["segments"] == 2.0
    )  # one channel has 20 rows, too few for itself and for what the other is held against
    assert "segment" not in worst.attributes
