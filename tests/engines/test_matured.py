"""How labels of matured cohorts came corrects young ones, whatever came first."""

import random
from itertools import pairwise

import pytest

from mlvitals.clock import DAY, HOUR
from mlvitals.config import Duration, LabelsConfig, SizeText, WindowsConfig

WINDOWS = 14
EACH = 120
SIZE = 6 * HOUR
END = 6 * DAY
SIGNALS = ("mlvitals.performance.corrected", "mlvitals.performance.score")


@pytest.fixture
def make(make_bench):
    """Make a bench whose cohorts live for a month; maturities are 1 h, 6 h and 2 d, windows of six hours."""

    def made(horizon="30d", **changes):
        ages = (Duration("1h"), Duration("6h"), Duration("2d"))
        labels = LabelsConfig(maturities=ages, delay=Duration("1h"), horizon=Duration(horizon))
        windows = WindowsConfig(size=SizeText("6h"), lateness=Duration("10m"), idle=Duration("5m"))
        return make_bench(config=make_bench().make_config(windows=windows, labels=labels, **changes))

    return made


def served(bench):
    events = []
    for one in range(WINDOWS * EACH):
        alarm = one % 4 == 0
        time = bench.start + one // EACH * SIZE + one % EACH
        features = {"x": 1.0, "c": "a", "channel": ["web", "app"][one % 2]}
        output = {"label": str(int(alarm)), "score": 0.9 if alarm else 0.1}
        events.append(bench.prediction(f"p{one}", time, features=features, prediction=output))
    return events


def labels(bench):
    """Alarms are reviewed within six hours; a miss comes back later, and what is good is known to be so in the end."""
    draw = random.Random(3)
    events = []
    for one in range(WINDOWS * EACH):
        alarm = one % 4 == 0
        true = draw.random() < (0.6 if alarm else 0.2)
        delay = draw.random() * (6 if alarm else 16) * HOUR if alarm or true else 47 * HOUR
        events.append(bench.label(f"p{one}", bench.start + one // EACH * SIZE + one % EACH + int(delay), int(true)))
    return events


def told(bench):
    return {identity: one for identity, one in bench.latest().items() if one.signal in SIGNALS}


def in_steps(bench, events, ends):
    """Give events in pieces, each to another process, which then closes and settles up to an end."""
    size = -(-len(events) // len(ends))
    for place, until in enumerate(ends):
        bench.feed([("s", events[place * size : (place + 1) * size])], until=until)


@pytest.fixture
def plain(make):
    bench = make()
    bench.feed([("s", [*served(bench), *labels(bench)])], until=bench.start + END)
    return bench


def corrected(bench, maturity, metric):
    return [
        one
        for one in told(bench).values()
        if one.signal == SIGNALS[0] and (one.attributes["maturity"], one.attributes["metric"]) == (maturity, metric)
    ]


def test_young_cohorts_are_corrected_from_the_third_matured_one_on(plain):
    found = corrected(plain, "6h", "recall")
    # As the first of them is six hours old, two days have gone since the end of the third window.
    assert len(found) == WINDOWS - 2 - (48 - 6) // 6
    about = {"metric": "recall", "maturity": "2d"}
    truth = {one.window_start: one.value for one in told(plain).values() if one.attributes == about}
    assert all(one.lower <= truth[one.window_start] <= one.upper for one in found)
    assert {one.attributes["method"] for one in found} == {"delay_curves"}
    complete = corrected(plain, "2d", "recall")
    assert [(one.attributes["method"], one.value) for one in complete] == [
        ("score_bins", value) for value in truth.values()
    ]


def test_it_comes_out_the_same_in_any_order_and_after_any_restart(make, plain):
    for seed in (1, 2):
        other = make()
        events = [*served(other), *labels(other)]
        random.Random(seed).shuffle(events)
        store, engine = other.open(until=other.start + END)
        with store:
            for place in range(0, len(events), 1000):
                engine.process("s", other.decode(events[place : place + 1000]))
        for until in (other.start + END,) * 2:
            other.feed([], until=until)
        assert told(other) == told(plain)
        assert other.rows("matured") == plain.rows("matured")


def test_labels_before_their_predictions_and_a_clock_that_moves_in_steps_make_no_difference(make, plain):
    other = make()
    ends = [other.start + hours * HOUR for hours in (30, 84, 90, 91, 144)]
    other.feed([("s", labels(other)), ("s", served(other))], until=ends[0])
    for _, until in pairwise(ends):
        other.feed([], until=until)
    assert told(other) == told(plain)


def test_labels_that_are_read_when_all_has_been_told_revise_every_cohort_that_rests_on_them(make, plain):
    late = make()
    late.feed([("s", served(late))], until=late.start + END)
    assert told(late) == {}
    events = labels(late)
    random.Random(1).shuffle(events)
    in_steps(late, events, [late.start + END] * 3)
    assert told(late) == told(plain)
    assert late.rows("matured") == plain.rows("matured")


def test_a_corrected_label_of_a_matured_cohort_leaves_no_trace(make, plain):
    wrong = make()
    truth = labels(wrong)
    first = [wrong.label(one["prediction_id"], wrong.start, 1 - one["label"]) for one in truth[: 5 * EACH : 3]]
    wrong.feed([("s", [*served(wrong), *first])], until=wrong.start + END)
    wrong.feed([("s", truth)], until=wrong.start + END)
    final = {key: one for key, one in told(wrong).items() if one.attributes["maturity"] == "2d"}
    assert final == {key: one for key, one in told(plain).items() if one.attributes["maturity"] == "2d"}


def test_what_matured_is_kept_longer_than_its_cohort_and_then_forgotten(make):
    bench = make(horizon="2d")
    bench.feed([("s", [*served(bench), *labels(bench)])], until=bench.start + END)
    assert len(bench.cohorts()) < WINDOWS
    assert len(bench.rows("matured")["matured"]) == WINDOWS
    bench.feed([("s", [])], until=bench.start + 100 * DAY)
    assert bench.rows("matured")["matured"] == []


def test_labels_that_only_some_scores_get_are_weighed_the_same_in_any_order(make):
    """Of what is not an alarm one in three is ever labelled: recall is that of all, not of what is labelled."""
    first, other = make(), make()
    some = [one for place, one in enumerate(labels(first)) if place % 4 == 0 or place % 3 == 0]
    first.feed([("s", [*served(first), *some])], until=first.start + END)
    other.feed([("s", served(other))], until=other.start + END)
    random.Random(5).shuffle(some)
    in_steps(other, some, [other.start + END] * 3)
    assert told(other) == told(first)
    about = {"metric": "recall", "maturity": "2d"}
    plain = {one.window_start: one for one in told(first).values() if one.attributes == about}
    found = corrected(first, "2d", "recall")
    assert len(found) == WINDOWS
    for one in found:
        assert one.attributes["method"] == "score_bins"
        assert one.lower < one.value < one.upper
        assert one.value < plain[one.window_start].value
        assert one.evidence["identified_share"] == 1
    truths = 30 * 0.6 / (30 * 0.6 + 90 * 0.2)
    assert sum(one.value for one in found) / WINDOWS == pytest.approx(truths, abs=0.06)


def test_a_segment_is_not_corrected(make):
    bench = make(segments=("channel",))
    bench.feed([("s", [*served(bench), *labels(bench)])], until=bench.start + END)
    assert corrected(bench, "6h", "recall")
    assert all("segment" not in one.attributes for one in corrected(bench, "6h", "recall"))
