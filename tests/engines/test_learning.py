"""Learning the operating reference from the first stretch that is served: `operating: {first: …}`."""

import contextlib
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlvitals import wire
from mlvitals.clock import DAY, HOUR, MINUTE, format_time
from mlvitals.config import Duration, FeaturesConfig, OperatingConfig, PerformanceConfig
from mlvitals.engines import learning
from mlvitals.engines.layouts import choice_of
from mlvitals.windows.layout import Task
from mlvitals.windows.reference import decode_reference, encode_reference
from mlvitals.windows.taking import take_reference

DRIFT = ("mlvitals.feature.drift.score", "mlvitals.feature.drift.location", "mlvitals.prediction.drift.score")
WAITING = ("held", "learning")
NOTHING: dict[str, list[tuple[object, ...]]] = {table: [] for table in WAITING}


@pytest.fixture
def learn(make_bench):
    """Make benches of a model that learns from the first hours that are served."""

    def make(hours="3h", **changes):
        first = OperatingConfig(first=Duration(hours))
        return make_bench(config=make_bench().make_config(operating=first, **changes))

    return make


def serve(bench, hours, *, each=20, start=0, output=None):
    """Return predictions spread over hours, and a label for every second of them."""
    chance = random.Random(start)
    events = []
    for number in range(hours * each):
        time = bench.start + start * HOUR + number * HOUR // each
        name = f"{start}-{number}"
        score = round(chance.random(), 2)
        features = {"x": chance.gauss(0, 1), "c": chance.choice("abc")}
        given = {"score": score} if output is None else output(score)
        events.append(bench.prediction(name, time, features=features, prediction=given, latency_ms=4))
        if number % 2:
            events.append(bench.label(name, time + MINUTE, int(chance.random() < score)))
    return sorted(events, key=lambda event: event["timestamp"])


def learnt(bench):
    ((_, data),) = bench.rows("learnt")["learnt"]
    return decode_reference(data, "learnt")


def taken(bench, events):
    """Return the reference that is taken from the same predictions in a file."""
    batch = bench.decode(events).predictions
    keep = [name for name in batch.schema.names if name != wire.ERROR]
    return take_reference(
        choice_of(bench.config),
        lambda: iter([batch.select(keep)]),
        model="m",
        version="",
        size=bench.config.windows.size.window,
        complete=True,
        provenance={"taken from": "the first events served"},
    )


def drifts(bench):
    """The windows that were held against the reference (and not only against the one before)."""
    held = [one for one in bench.latest().values() if one.attributes.get("comparison") == "operating"]
    return sorted({one.window_start for one in held if one.signal in DRIFT})


def test_windows_of_the_stretch_are_counted_and_judged_but_have_no_drift(learn):
    bench = learn()
    bench.feed([("s", serve(bench, 6))], until=bench.start + 2 * DAY)
    assert [bench.value("prediction.count", bench.start + hour * HOUR) for hour in range(6)] == [20.0] * 6
    for hour in range(6):
        assert bench.value("label.coverage.ratio", bench.start + hour * HOUR, maturity="1h") == 0.5
        assert bench.value("performance.score", bench.start + hour * HOUR, maturity="1h", metric="accuracy") is not None
    hours = [format_time(bench.start + hour * HOUR) for hour in range(6)]
    assert drifts(bench) == hours[3:]


def test_the_reference_is_the_one_that_a_file_of_the_same_rows_gives(learn):
    bench = learn()
    first = serve(bench, 3)
    bench.feed([("s", [*first, *serve(bench, 2, start=3)])], until=bench.start + DAY)
    assert encode_reference(learnt(bench)) == encode_reference(taken(bench, first))
    assert bench.rows(*WAITING) == NOTHING


def test_copies_failures_and_implausible_times_are_not_learnt_from(learn):
    bench = learn()
    first = serve(bench, 3)
    noise = [
        bench.prediction("far", bench.far + 2 * HOUR),
        bench.prediction("bad", bench.start - HOUR, error="timeout", features={"x": 1e9}),
        *first,
        first[0],
        bench.prediction("worse", bench.start + 1, error="timeout", features={"x": 1e9, "z": 1}),
    ]
    bench.feed([("s", [*noise, *serve(bench, 2, start=3)])])
    assert encode_reference(learnt(bench)) == encode_reference(taken(bench, first))
    assert bench.account()["prediction", "parked"] == 1
    assert bench.account()["prediction", "duplicate"] == 1


def test_rows_after_the_stretch_wait_and_are_accounted_for(learn):
    bench = learn()
    bench.feed([("s", serve(bench, 3)), ("s", serve(bench, 1, start=3, each=8))], finish=False)
    assert bench.account()["prediction", "held"] == 8
    assert bench.account()["prediction", "accepted"] == 60
    assert bench.account()["label", "orphan"] == 4
    bench.feed([("s", serve(bench, 1, start=6, each=2))])
    assert bench.account() == {("prediction", "accepted"): 70, ("label", "accepted"): 35}
    assert bench.value("prediction.count", bench.start + 3 * HOUR) == 8.0


def test_the_stretch_goes_on_to_the_end_of_its_last_window(learn):
    bench = learn("90m")
    bench.feed([("s", [bench.prediction("a", bench.start + 59 * MINUTE), *serve(bench, 3)])], finish=False)
    assert bench.runs["m"].learning.until == bench.start + 2 * HOUR
    assert bench.account()["prediction", "held"] == 20


def test_a_stretch_in_which_nothing_was_served_begins_anew(learn):
    bench = learn()
    bench.feed([], until=bench.start + 2 * HOUR)
    first = serve(bench, 3, start=5)
    bench.feed(
        [("s", [bench.prediction("late", bench.start), *first, *serve(bench, 2, start=8)])], until=bench.start + DAY
    )
    assert bench.account()["prediction", "late"] == 1
    assert encode_reference(learnt(bench)) == encode_reference(taken(bench, first))


def test_what_is_spooled_is_bounded(learn, monkeypatch):
    monkeypatch.setattr(learning, "SPOOL_BYTES", 1)
    bench = learn()
    batches = [("s", serve(bench, 1, start=hour)) for hour in range(5)]
    bench.feed(batches[:2], finish=False)
    assert len(bench.rows("learning")["learning"]) == 1
    bench.feed(batches[2:], until=bench.start + DAY)
    assert learnt(bench).summary.predictions == 20
    assert not learnt(bench).complete
    assert bench.account()["prediction", "accepted"] == 100


def test_aliases_are_applied_once(learn):
    bench = learn(features=FeaturesConfig(aliases={"x": "c", "c": "x"}))
    bench.feed([("s", serve(bench, 5))], until=bench.start + DAY)
    kinds = {feature.name: feature.kind.value for feature in learnt(bench).layout.features}
    assert kinds == {"c": "numeric", "x": "categorical"}


def test_a_regression_is_learnt_even_beside_another_kind_of_model(learn, make_bench):
    bench = learn(performance=PerformanceConfig())
    bench.others = (make_bench().make_config(name="n"),)
    events = serve(bench, 5, output=lambda score: {"value": score})
    others = [event | {"model": "n", "prediction": {"score": 0.3}} for event in serve(bench, 5)]
    bench.feed([("s", [*others, *events])], until=bench.start + 2 * DAY)
    error = bench.value("performance.error", maturity="1h", metric="mae")
    assert error is not None
    assert 0 < error < 1
    assert bench.value("performance.score", maturity="1h", metric="accuracy") is None


def test_classes_are_not_judged_before_they_are_known(learn):
    bench = learn()
    events = serve(bench, 5, output=lambda score: {"label": "cat" if score < 0.5 else "dog"})
    for event in events:
        if event["event"] == "label":
            event["label"] = "cat"
    bench.feed([("s", events)], until=bench.start + 2 * DAY)
    accuracy = [
        bench.value("performance.score", bench.start + hour * HOUR, maturity="1h", metric="accuracy")
        for hour in range(5)
    ]
    assert accuracy[:3] == [None] * 3
    assert None not in accuracy[3:]
    assert bench.value("label.coverage.ratio", maturity="1h") == 0.5


class StopError(Exception):
    pass


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.integers(1, 8), seed=st.integers(0, 99), stop_at=st.integers(0, 12))
def test_learning_survives_a_stop_anywhere(learn, pieces, seed, stop_at):
    whole, bench = learn(), learn()
    events = [*serve(whole, 3), *serve(whole, 4, start=3)]
    whole.feed([("s", events)], until=whole.start + 2 * DAY)
    places = sorted(random.Random(seed).choices(range(len(events) + 1), k=pieces))
    for one, other in zip([0, *places], [*places, len(events)], strict=True):
        bench.feed([("s", events[one:other])], until=bench.start + 2 * DAY, finish=False)
    stop_in_a_transaction(bench, stop_at)
    bench.feed([], until=bench.start + 2 * DAY)
    assert encode_reference(learnt(bench)) == encode_reference(learnt(whole))
    assert bench.latest() == whole.latest()
    assert bench.account() == whole.account()
    assert bench.cells() == whole.cells()
    assert bench.rows(*WAITING) == NOTHING


def stop_in_a_transaction(bench, number):
    """Close and settle up to the transaction of this number, and fail in it, just before it commits."""
    store, engine = bench.open(until=bench.start + 2 * DAY)
    flush = engine._flush
    durable: list[int] = []

    def fail(connection):
        flush(connection)
        if len(durable) == number:
            raise StopError
        durable.append(len(bench.emissions))

    engine._flush = fail
    emitted = len(bench.emissions)
    with store, contextlib.suppress(StopError):
        engine.advance_when_all_is_read()
        return
    del bench.emissions[durable[-1] if durable else emitted :]


def test_a_reference_is_learnt_while_running(learn):
    bench = learn()
    store, engine = bench.open(now=bench.start + DAY)
    with store:
        for hour in range(5):
            engine.process("s", bench.decode(serve(bench, 1, start=hour)))
            engine.advance_while_running()
        assert bench.rows(*WAITING) == NOTHING
        assert learnt(bench).summary.predictions == 60
    assert bench.windows() == [bench.start + hour * HOUR for hour in range(4)]
    assert len(drifts(bench)) == 1


def spread(score):
    """Return what a model of three classes logs that logs no class: their probabilities alone."""
    return {"probabilities": {"0": 1 - score, "1": score * 0.75, "2": score * 0.25}}


def test_probabilities_alone_are_learnt_from(learn):
    bench = learn()
    first = serve(bench, 3, output=spread)
    bench.feed([("s", [*first, *serve(bench, 2, start=3, output=spread)])], until=bench.start + 4 * DAY)
    output = learnt(bench).layout.output
    assert encode_reference(learnt(bench)) == encode_reference(taken(bench, first))
    assert (output.task, output.distribution, output.probability) == (Task.MULTICLASS, True, True)
    errors = {
        (one.attributes["metric"], one.window_start)
        for one in bench.latest().values()
        if one.signal == "mlvitals.performance.error" and one.value is not None
    }
    after = {format_time(bench.start + hour * HOUR) for hour in (3, 4)}
    assert {(metric, start) for metric in ("log_loss", "brier", "calibration_error") for start in after} == errors
