"""The engine around the models: one transaction each, and what a failure leaves behind."""

import resource
import sqlite3

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from mlvitals import wire
from mlvitals.clock import DAY, HOUR, MINUTE, SECOND
from mlvitals.config import OperatingConfig, SizeText, WindowsConfig
from mlvitals.engines.intake import failed
from mlvitals.engines.model import Progress
from mlvitals.errors import StateError
from mlvitals.events import EventBatch, ReadAccount
from mlvitals.state import Store

TABLES = ("position", "progress", "account", "held", "cohort", "settlement", "prediction", "label")


def story(bench):
    """Return predictions of three hours and their labels, in two batches."""
    events = [bench.prediction(f"p{n}", bench.start + n * 10 * MINUTE, latency_ms=n) for n in range(18)]
    labels = [bench.label(f"p{n}", bench.start + n * 10 * MINUTE + HOUR, n % 2) for n in range(18)]
    return [("s", [*events[:12], *labels[:4]]), ("s", [*events[12:], *labels[4:]])]


def lose(_connection, _emissions):
    raise sqlite3.OperationalError("database or disk is full")


def test_a_failing_emit_leaves_the_state_as_it_was_and_a_fresh_engine_goes_on(make_bench):
    bench, plain = make_bench(), make_bench()
    plain.feed(story(plain), until=plain.start + 2 * DAY)
    bench.feed(story(bench), until=bench.start + 2 * DAY, finish=False)
    before = bench.rows(*TABLES)
    store, engine = bench.open(until=bench.start + 2 * DAY, emit=lose)
    with store:
        with pytest.raises(sqlite3.OperationalError):
            engine.advance_when_all_is_read()
        with pytest.raises(StateError, match="open the state again"):
            engine.advance_when_all_is_read()
        with pytest.raises(StateError, match="open the state again"):
            engine.process("s", bench.decode([]))
    assert bench.rows(*TABLES) == before
    bench.feed([], until=bench.start + 2 * DAY)
    assert bench.latest() == plain.latest()
    assert bench.rows(*TABLES) == plain.rows(*TABLES)


def test_a_batch_that_fails_halfway_leaves_nothing_and_can_be_taken_again(make_bench):
    bench, plain = make_bench(), make_bench()
    first, second = story(bench)
    plain.feed([first, second], until=plain.start + 2 * DAY)
    bench.feed([first], until=bench.start + 2 * DAY, finish=False)
    before = bench.rows(*TABLES)
    store, engine = bench.open(until=bench.start + 2 * DAY)
    batch = bench.decode(second[1])
    # Its events are whole, but where the source stands after them cannot be written.
    broken = EventBatch(
        predictions=batch.predictions,
        labels=batch.labels,
        changes=batch.changes,
        account=ReadAccount(rows=20, parsed=20),
        position=object(),  # type: ignore[arg-type]  # that is what is wrong
    )
    with store, pytest.raises(sqlite3.Error):
        engine.process("s", broken)
    assert bench.rows(*TABLES) == before
    bench.feed([second], until=bench.start + 2 * DAY)
    assert bench.latest() == plain.latest()
    assert bench.rows(*TABLES) == plain.rows(*TABLES)


def test_the_position_is_that_of_the_last_batch_that_is_durable(bench):
    store, engine = bench.open()
    with store:
        assert engine.position("s") is None
        engine.process("s", bench.decode([bench.prediction("a", bench.start)], b"one"))
        engine.process("t", bench.decode([], b"two"))
        assert (engine.position("s"), engine.position("t")) == (b"one", b"two")
    store, engine = bench.open()
    with store:
        assert (engine.position("s"), engine.position("t")) == (b"one", b"two")


def test_each_model_has_a_watermark_of_its_own(make_bench):
    bench = make_bench(others=(make_bench().make_config(name="n"),))
    events = [bench.prediction("a", bench.start), bench.prediction("b", bench.start + 2 * HOUR)]
    silent = bench.prediction("a", bench.start, model="n")
    store, engine = bench.open(now=bench.start + DAY)
    with store:
        engine.process("s", bench.decode([*events, silent]))
        engine.advance_while_running()
    assert {emission.model for emission in bench.emissions} == {"m"}
    bench.feed([("s", [bench.prediction("b", bench.start + 2 * HOUR, model="n")])])
    assert ("n", bench.start) in {(emission.model, emission.start) for emission in bench.emissions}


def test_the_lag_of_what_was_held_back_is_not_told(bench):
    bench.feed([("s", [bench.prediction("a", bench.start)])], until=bench.start)
    bench.feed([("s", [bench.prediction("b", bench.start)])], now=bench.start + MINUTE)
    store, engine = bench.open(now=bench.start + DAY)
    with store:
        engine.advance_while_running()
    (cohort,) = bench.cohorts().values()
    assert cohort.summary.predictions == 2
    assert cohort.summary.histogram("lag").sum() == 1


def idle_seconds(engine, bench, cycles):
    """Return the CPU seconds of a cycle in which nothing arrives while the clock ticks."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    for _ in range(cycles):
        object.__setattr__(bench.clock, "moment", bench.clock.moment + SECOND)
        engine.advance_while_running()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / cycles


def test_an_idle_model_costs_little_however_many_cohorts_wait_for_labels(make_bench):
    config = make_bench().make_config(windows=WindowsConfig(size=SizeText("1m")))
    bench = make_bench(config=config)
    events = [bench.prediction(str(minute), bench.start + minute * MINUTE) for minute in range(600)]
    store, engine = bench.open(now=bench.start + 600 * MINUTE)
    with store:
        engine.process("s", bench.decode(events))
        engine.advance_while_running()
        (closed,) = store.connection.execute("SELECT count(*) FROM cohort WHERE closed = 1").fetchone()
        assert closed > 550
        object.__setattr__(bench.clock, "moment", bench.clock.moment + DAY)
        engine.advance_while_running()
        assert idle_seconds(engine, bench, 50) < 0.002


def test_rows_of_many_versions_are_counted_apart_from_late_ones(bench):
    bench.feed([("s", [bench.prediction("a", bench.start), bench.prediction("b", bench.start + 2 * HOUR)])])
    events = [
        bench.prediction(
            f"{n}", bench.start + (n % 2) * 2 * HOUR, model_version=str(n % 3), prediction={"score": n / 60}
        )
        for n in range(60)
    ]
    bench.feed([("s", events)], finish=False)
    counts = {key.version: cohort.summary.predictions for key, cohort in bench.cohorts().items() if not cohort.closed}
    assert counts == {"0": 10, "1": 11, "2": 10}
    assert bench.account() == {("prediction", "accepted"): 32, ("prediction", "late"): 30}


def test_an_error_is_read_alike_in_every_type_of_column():
    cases = {"true": True, "1": True, "boom": True, "false": False, "False": False, "0": False, "0.0": False, "": False}
    texts = pa.array([*cases, None])
    for array in (texts, texts.dictionary_encode()):
        batch = pa.RecordBatch.from_pydict({wire.ERROR: array})
        assert failed(batch).tolist() == [*cases.values(), False]
    numbers = pa.RecordBatch.from_pydict({wire.ERROR: pa.array([0, 1, None])})
    assert failed(numbers).tolist() == [False, True, False]
    none = pa.RecordBatch.from_pydict({"x": pa.array([1, 2])})
    assert failed(none).tolist() == np.zeros(2, dtype=bool).tolist()


def test_a_model_that_learns_beside_one_that_does_not(make_bench):
    learner = make_bench().make_config(name="n", operating=OperatingConfig(first=make_bench().config.windows.lateness))
    bench = make_bench(others=(learner,))
    events = [bench.prediction(f"{n}", bench.start + n * 10 * MINUTE) for n in range(30)]
    bench.feed([("s", [*events, *({**event, "model": "n"} for event in events)])], until=bench.start + DAY)
    counts = {
        (one.model, one.window_start): one.value
        for one in bench.latest().values()
        if one.signal == "mlvitals.prediction.count" and one.value
    }
    assert [value for _, value in sorted(counts.items())] == [6.0] * 10
    drifted = {one.model for one in bench.latest().values() if one.signal == "mlvitals.prediction.drift.score"}
    assert drifted == {"m", "n"}


def test_a_feature_that_the_reference_does_not_have_is_ignored_and_named(bench):
    rows = [
        bench.prediction("a", bench.start, features={"x": 1.0, "c": "a", "colour": "red", "void": None}),
        bench.prediction("b", bench.start + 1, features={"x": 2.0, "c": "b"}),
    ]
    bench.feed([("s", rows)])
    with Store.open_read_only(bench.path) as store:
        (document,) = store.connection.execute("SELECT document FROM progress").fetchone()
    assert msgspec.json.decode(document, type=Progress).ignored == ("colour",)
