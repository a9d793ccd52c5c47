"""The laws of the main job: however events are cut, ordered, held back or interrupted, the same is said of them."""

import random
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlvitals.clock import DAY, HOUR, MINUTE
from mlvitals.config import PerformanceConfig

QUIET = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
REMEMBERED = 3 * DAY  # every maturity of these stories is settled, and nothing is forgotten yet
OVER = 10 * DAY  # the last label comes after 6.5 days, and is waited for 3 more
TASKS = ("binary", "multiclass", "regression", "distribution")
# What is logged in place of a score: sure, spread, equal, of a class that is not known, no distribution at all.
SHARES = (
    {"cat": 1.0, "dog": 0.0, "owl": 0.0},
    {"cat": 0.1, "dog": 0.7, "owl": 0.2},
    {"dog": 0.4, "cat": 0.4, "owl": 0.2},
    {"cat": 0.3, "fox": 0.7},
    {"owl": 1.2},
)

PREDICTION = st.fixed_dictionaries(
    {
        "minute": st.integers(0, 5 * 60),
        "version": st.sampled_from(["1", "2", None]),
        "again": st.booleans(),  # another version serves the same id
        "x": st.one_of(st.none(), st.floats(-4, 4), st.just("broken")),
        "c": st.sampled_from(["a", "b", "new", None]),
        "channel": st.sampled_from(["web", "app", "fax", None]),
        "score": st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.5001, 0.999, 1.0, 1.5, None]),
        "decision": st.sampled_from([0, 1, None]),
        "error": st.booleans(),
        "copies": st.integers(0, 1),
    }
)
LABEL = st.fixed_dictionaries(
    {
        "of": st.integers(0, 20),  # beyond the predictions there are: an orphan
        "age": st.sampled_from([-5, 0, 30, 60, 61, 300, 360, 2000, 4000, 9000]),  # minutes; 9000 is past the horizon
        "value": st.sampled_from([0, 1, "1", 1.0, True, "0", 2.5]),
        "version": st.sampled_from([None, "1"]),
        "copies": st.integers(0, 1),
    }
)
STORY = st.tuples(st.lists(PREDICTION, min_size=1, max_size=15), st.lists(LABEL, max_size=20))
SEED = st.integers(0, 9)


@pytest.fixture(params=TASKS)
def make(request, make_bench):
    """Make benches of one kind of model; the binary one knows how one of its versions was trained."""
    config = make_bench().make_config(
        performance=PerformanceConfig(metrics=("r2", "mape") if request.param == "regression" else ()),
        segments=("channel",) if request.param == "binary" else (),
    )

    def of_kind():
        bench = make_bench(config=config, task=request.param)
        if request.param == "binary":
            bench.training = {"2": bench.make_reference(config, seed=2)}
        return bench

    return of_kind


def output(bench, one):
    if bench.task == "regression":
        return {"value": one["score"]}
    if bench.task == "distribution":
        named = {} if one["decision"] is None else {"label": ["cat", "dog"][one["decision"]]}
        place = None if one["score"] is None else round(one["score"] * 1000) % len(SHARES)
        return named if place is None else named | {"probabilities": SHARES[place]}
    names = {"multiclass": ["cat", "dog"], "binary": ["0", "1"]}[bench.task]
    given = {} if one["decision"] is None else {"label": names[one["decision"]]}
    return given | {"score": one["score"]}


def tell(bench, story):
    """Return a story's events in the order of their times: exact duplicates, corrections and orphans among them."""
    predictions, labels = story
    events = []
    for number, one in enumerate(predictions):
        features = {"x": one["x"], "c": one["c"], "channel": one["channel"]}
        more = {"features": features, "latency_ms": 12.5, "prediction": output(bench, one)}
        if one["error"]:
            more |= {"error": "timeout", "prediction": {}}
        for version in {one["version"], "3"} if one["again"] else {one["version"]}:
            named = {} if version is None else {"model_version": version}
            event = bench.prediction(f"p{number}", bench.start + one["minute"] * MINUTE, **more)
            event = {key: value for key, value in event.items() if key != "model_version"} | named
            events += [event] * (1 + one["copies"])
    for one in labels:
        minute = predictions[one["of"]]["minute"] if one["of"] < len(predictions) else 0
        more = {} if one["version"] is None else {"version": one["version"]}
        value = "dog" if bench.task in {"multiclass", "distribution"} and one["value"] == 1 else one["value"]
        event = bench.label(f"p{one['of']}", bench.start + (minute + one["age"]) * MINUTE, value, **more)
        events += [event] * (1 + one["copies"])
    # Sets have no order of their own.
    return sorted(events, key=lambda event: (event["timestamp"], repr(event)))


def cut(events, seed, pieces):
    places = sorted(random.Random(seed).choices(range(len(events) + 1), k=pieces - 1))
    return [("s", events[one:other]) for one, other in pairwise([0, *places, len(events)])]


def said(bench):
    return bench.latest(), bench.account(), bench.cells()


def tell_at_once(make, story, after):
    bench = make()
    bench.feed([("s", tell(bench, story))], until=bench.start + after)
    return said(bench)


@QUIET
@given(story=STORY, seed=SEED, pieces=st.integers(1, 9))
def test_any_split_into_batches_says_the_same(make, story, seed, pieces):
    bench = make()
    bench.feed(cut(tell(bench, story), seed, pieces), until=bench.start + REMEMBERED)
    assert said(bench) == tell_at_once(make, story, REMEMBERED)


@QUIET
@given(story=STORY, seed=SEED, pieces=st.integers(1, 5))
def test_any_order_of_arrival_says_the_same(make, story, seed, pieces):
    bench = make()
    events = tell(bench, story)
    random.Random(seed).shuffle(events)
    bench.feed(cut(events, seed, pieces), until=bench.start + REMEMBERED)
    assert said(bench) == tell_at_once(make, story, REMEMBERED)


@QUIET
@given(story=STORY, seed=SEED)
def test_any_interleaving_of_labels_says_the_same(make, story, seed):
    labels_first, labels_last = make(), make()
    for bench, labels_lead in ((labels_first, True), (labels_last, False)):
        events = sorted(tell(bench, story), key=lambda event: (event["event"] == "prediction") is labels_lead)
        bench.feed(cut(events, seed, 3), until=bench.start + REMEMBERED)
    assert said(labels_first) == said(labels_last) == tell_at_once(make, story, REMEMBERED)


@QUIET
@given(story=STORY, seed=SEED, pieces=st.integers(2, 5))
def test_any_restart_point_says_the_same(make, story, seed, pieces):
    bench = make()
    for batch in cut(tell(bench, story), seed, pieces):
        bench.feed([batch], until=bench.start + REMEMBERED, finish=False)
    bench.feed([], until=bench.start + REMEMBERED)
    assert said(bench) == tell_at_once(make, story, REMEMBERED)


@QUIET
@given(story=STORY, seed=SEED, steps=st.lists(st.integers(0, 9 * 24), min_size=1, max_size=9))
def test_until_in_one_step_or_ten_says_the_same(make, story, seed, steps):
    bench = make()
    events = tell(bench, story)
    random.Random(seed).shuffle(events)
    bench.feed([("s", events)], until=bench.start + min(steps) * HOUR)
    for hours in sorted(steps)[1:]:
        bench.feed([], until=bench.start + hours * HOUR)
    bench.feed([], until=bench.start + OVER)
    measured, account, cells = said(bench)
    expected, at_once, _ = tell_at_once(make, story, OVER)
    assert measured == expected
    assert cells == []
    # Past the horizon the prediction is forgotten, so that a label that came too late is then told as an orphan.
    assert merge_too_late(account) == merge_too_late(at_once)
    assert bench.rows("prediction", "label", "cohort", "settlement", "held") == {
        table: [] for table in ("prediction", "label", "cohort", "settlement", "held")
    }


def merge_too_late(account):
    gone = {("label", "expired"), ("label", "orphan")}
    merged = {key: rows for key, rows in account.items() if key not in gone}
    return merged | {("label", "gone"): sum(account.get(key, 0) for key in gone)}


@QUIET
@given(story=STORY, seed=SEED, deduplicate=st.booleans(), labels=st.booleans())
def test_every_row_has_one_disposition(make_bench, story, seed, deduplicate, labels):
    config = make_bench().make_config(deduplicate=deduplicate)
    bench = make_bench(config=config if labels else make_bench().make_config(deduplicate=deduplicate, labels=None))
    events = tell(bench, story)
    random.Random(seed).shuffle(events)
    store, engine = bench.open()
    with store:
        for source, batch in cut(events, seed, 5):
            engine.process(source, bench.decode(batch))
            engine.advance_while_running()
        engine.advance_when_all_is_read()
    assert sum(bench.account().values()) == len(events)
    assert all(rows > 0 for rows in bench.account().values())


@QUIET
@given(story=STORY, seed=SEED)
def test_running_on_with_events_in_any_order_within_the_lateness_says_the_same(make, story, seed):
    bench, at_once = make(), make()
    chance = random.Random(seed)
    events = sorted(tell(bench, story), key=lambda event: (event["timestamp"][:15], chance.random()))  # by ten minutes
    store, engine = bench.open()
    with store:
        for source, batch in cut(events, seed, 7):
            engine.process(source, bench.decode(batch))
            engine.advance_while_running()
        engine.advance_when_all_is_read()
    at_once.feed([("s", tell(at_once, story))])
    assert bench.account().get(("prediction", "late"), 0) == 0
    assert bench.latest() == at_once.latest()
