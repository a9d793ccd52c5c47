"""The laws of the main job: however events are cut, ordered, held back or interrupted, the same is said of them."""

import random
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlvitals.clock import DAY, HOUR, MINUTE

QUIET = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

PREDICTION = st.fixed_dictionaries(
    {
        "minute": st.integers(0, 5 * 60),
        "version": st.sampled_from(["1", "2"]),
        "x": st.one_of(st.none(), st.floats(-4, 4), st.just("broken")),
        "c": st.sampled_from(["a", "b", "new", None]),
        "score": st.sampled_from([0.1, 0.25, 0.5, 0.5001, 0.999, None]),
        "error": st.booleans(),
        "copies": st.integers(0, 1),
    }
)
LABEL = st.fixed_dictionaries(
    {
        "of": st.integers(0, 30),  # beyond the predictions there are: an orphan
        "age": st.sampled_from([-5, 0, 30, 60, 61, 300, 360, 2000, 4000, 9000]),  # minutes; 9000 is past the horizon
        "value": st.sampled_from([0, 1, "1", 1.0, True, "0"]),
        "version": st.sampled_from([None, "1"]),
        "copies": st.integers(0, 1),
    }
)
STORY = st.tuples(st.lists(PREDICTION, min_size=1, max_size=25), st.lists(LABEL, max_size=25))


def tell(bench, story):
    """Return a story's events in the order of their times: exact duplicates, corrections and orphans among them."""
    predictions, labels = story
    events = []
    for number, one in enumerate(predictions):
        more = {"model_version": one["version"], "features": {"x": one["x"], "c": one["c"]}, "latency_ms": 12.5}
        more["prediction"] = {"score": one["score"], "label": "1"}
        if one["error"]:
            more |= {"error": "timeout", "prediction": {}}
        event = bench.prediction(f"p{number}", bench.start + one["minute"] * MINUTE, **more)
        events += [event] * (1 + one["copies"])
    for one in labels:
        minute = predictions[one["of"]]["minute"] if one["of"] < len(predictions) else 0
        more = {} if one["version"] is None else {"version": one["version"]}
        event = bench.label(f"p{one['of']}", bench.start + (minute + one["age"]) * MINUTE, one["value"], **more)
        events += [event] * (1 + one["copies"])
    return sorted(events, key=lambda event: event["timestamp"])


def cut(events, seed, pieces):
    places = sorted(random.Random(seed).choices(range(len(events) + 1), k=pieces - 1))
    return [("s", events[one:other]) for one, other in pairwise([0, *places, len(events)])]


def said(bench):
    return bench.latest(), {key: rows for key, rows in bench.account().items() if rows}


def told_at_once(make_bench, story, until):
    bench = make_bench()
    bench.feed([("s", tell(bench, story))], until=until)
    return said(bench)


@QUIET
@given(story=STORY, seed=st.integers(0, 9), pieces=st.integers(1, 12))
def test_any_split_into_batches_says_the_same(make_bench, story, seed, pieces):
    until = make_bench().start + 20 * DAY
    bench = make_bench()
    bench.feed(cut(tell(bench, story), seed, pieces), until=until)
    assert said(bench) == told_at_once(make_bench, story, until)


@QUIET
@given(story=STORY, seed=st.integers(0, 9), pieces=st.integers(1, 5))
def test_any_order_of_arrival_says_the_same(make_bench, story, seed, pieces):
    until = make_bench().start + 20 * DAY
    bench = make_bench()
    events = tell(bench, story)
    random.Random(seed).shuffle(events)
    bench.feed(cut(events, seed, pieces), until=until)
    assert said(bench) == told_at_once(make_bench, story, until)


@QUIET
@given(story=STORY, seed=st.integers(0, 9))
def test_any_interleaving_of_labels_says_the_same(make_bench, story, seed):
    until = make_bench().start + 20 * DAY
    labels_first, labels_last = make_bench(), make_bench()
    for bench, labels_lead in ((labels_first, True), (labels_last, False)):
        events = sorted(tell(bench, story), key=lambda event: (event["event"] == "prediction") is labels_lead)
        bench.feed(cut(events, seed, 3), until=until)
    assert said(labels_first) == said(labels_last) == told_at_once(make_bench, story, until)


@QUIET
@given(story=STORY, seed=st.integers(0, 9), pieces=st.integers(2, 6))
def test_any_restart_point_says_the_same(make_bench, story, seed, pieces):
    until = make_bench().start + 20 * DAY
    bench = make_bench()
    batches = cut(tell(bench, story), seed, pieces)
    for batch in batches:
        bench.feed([batch], until=until, finish=False)
    bench.feed([], until=until)
    assert said(bench) == told_at_once(make_bench, story, until)


@QUIET
@given(story=STORY, seed=st.integers(0, 9), steps=st.lists(st.integers(0, 9 * 24), min_size=1, max_size=9))
def test_until_in_one_step_or_ten_says_the_same(make_bench, story, seed, steps):
    last = make_bench().start + 20 * DAY
    bench = make_bench()
    events = tell(bench, story)
    random.Random(seed).shuffle(events)
    bench.feed([("s", events)], until=bench.start + min(steps) * HOUR)
    for hours in sorted(steps)[1:]:
        bench.feed([], until=bench.start + hours * HOUR)
    bench.feed([], until=last)
    measured, account = said(bench)
    expected, at_once = told_at_once(make_bench, story, last)
    assert measured == expected
    # Past the horizon the prediction is forgotten, so that a label that came too late is then told as an orphan.
    gone = ("label", "expired"), ("label", "orphan")
    assert sum(account.pop(key, 0) for key in gone) == sum(at_once.pop(key, 0) for key in gone)
    assert account == at_once


@QUIET
@given(story=STORY, seed=st.integers(0, 9), pieces=st.integers(1, 6))
def test_every_row_has_one_disposition(make_bench, story, seed, pieces):
    bench = make_bench()
    events = tell(bench, story)
    bench.feed(cut(events, seed, pieces))
    assert sum(bench.account().values()) == len(events)


@QUIET
@given(story=STORY, seed=st.integers(0, 9))
def test_running_on_with_events_in_any_order_within_the_lateness_loses_none(make_bench, story, seed):
    bench = make_bench()
    events = [event for event in tell(bench, story) if event["event"] == "prediction"]
    shuffled = sorted(events, key=lambda event: (event["timestamp"][:15], random.Random(seed).random()))  # by ten minutes
    store, engine = bench.open()
    with store:
        for batch in cut(shuffled, seed, 5):
            engine.process(*_decoded(bench, batch))
            engine.advance_while_running()
        engine.advance_when_all_is_read()
    assert bench.account().get(("prediction", "late"), 0) == 0


def _decoded(bench, batch):
    return batch[0], bench.decode(batch[1])
