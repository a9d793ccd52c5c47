"""One model's failure is its own: the others' numbers are the same to the bit, and its rows wait until it is well."""

import sqlite3
from pathlib import Path

import pytest

from mlvitals.clock import DAY, HOUR, MINUTE
from mlvitals.config import OperatingConfig
from mlvitals.engines import roster
from mlvitals.engines.roster import cause_of, is_of_state
from mlvitals.errors import StateError
from mlvitals.state import Store

TABLES = ("cohort", "settlement", "prediction", "label", "progress")
TABLES_BY_NAME = {table: table for table in TABLES}
WAITING = ("held", "fault")


@pytest.fixture
def two(make_bench):
    """Return a maker of benches with the models m and n."""

    def make(**changes):
        return make_bench(others=(make_bench().make_config(name="n", **changes),))

    return make


def story(bench, models=("m", "n"), batches=3):
    """Return batches in which each model serves and is labelled in turn; a window has rows of two of them."""
    made = []
    for number in range(batches):
        events = []
        for step in range(6):
            time = bench.start + number * 40 * MINUTE + step * 10 * MINUTE
            for model in models:
                one = f"{number}-{step}"
                score = (step + number) / 10
                events.append(bench.prediction(one, time, model=model, prediction={"score": score}, latency_ms=step))
                events.append(bench.label(one, time + 20 * MINUTE, step % 2, model=model))
        made.append(("s", events))
    return made


def rows_of(bench, model):
    """Everything that the state holds of a model."""
    return {table: [row for row in rows if row[0] == model] for table, rows in bench.rows(*TABLES).items()}


def latest_of(bench, model):
    return {identity: one for identity, one in bench.latest().items() if one.model == model}


def account_of(bench, model):
    with Store.open_read_only(bench.path) as store:
        query = "SELECT event, disposition, rows FROM account WHERE model = ? AND rows != 0 ORDER BY 1, 2"
        return store.connection.execute(query, (model,)).fetchall()


def damage(bench, model):
    """Cut the counts of a model's newest cohort short; return what mends them."""
    with Store.open(bench.path, ()) as store, store.transaction() as connection:
        where = "model = ? AND start = (SELECT max(start) FROM cohort WHERE model = ?)"
        (counts,) = connection.execute(f"SELECT served FROM cohort WHERE {where}", (model, model)).fetchone()
        connection.execute(f"UPDATE cohort SET served = ? WHERE {where}", (counts[:-1], model, model))

    def mend():
        with Store.open(bench.path, ()) as store, store.transaction() as connection:
            connection.execute(f"UPDATE cohort SET served = ? WHERE {where}", (counts, model, model))

    return mend


def test_what_fails_in_counting_waits_and_is_counted_when_the_model_is_well(two):
    whole, bench = two(), two()
    until = whole.start + 3 * DAY
    batches = story(whole)
    whole.feed(batches, until=until)
    bench.feed(batches[:1], until=until, finish=False)
    mend = damage(bench, "n")
    bench.feed(batches[1:2], until=until, finish=False)
    assert bench.account()["prediction", "held"] == bench.account()["label", "held"] == 6
    bench.feed(batches[2:], until=until)  # another process, in which it fails again
    assert bench.account()["prediction", "held"] == 12
    assert rows_of(bench, "m") == rows_of(whole, "m")
    assert latest_of(bench, "m") == latest_of(whole, "m")
    assert account_of(bench, "m") == account_of(whole, "m")
    [(model, cause, _)] = bench.rows("fault")["fault"]
    assert (model, "unexpected " in cause) == ("n", True)
    mend()
    bench.feed([], until=until)
    assert rows_of(bench, "n") == rows_of(whole, "n")
    assert latest_of(bench, "n") == latest_of(whole, "n")
    assert bench.account() == whole.account()
    assert bench.rows(*WAITING) == {"held": [], "fault": []}


def test_what_fails_in_closing_is_undone_alone_and_closed_by_the_next_engine(two):
    whole, bench = two(), two()
    until = whole.start + 3 * DAY
    later = ("s", [whole.prediction("later", whole.start + DAY, model="n")])
    whole.feed([*story(whole), later], until=until)
    bench.feed(story(bench), until=until, finish=False)

    def lose_one(connection, emissions):
        if emissions[0].model == "n":
            raise ValueError("a value that no sink can tell")
        bench.collect(connection, emissions)

    before = rows_of(bench, "n")
    store, engine = bench.open(until=until, emit=lose_one)
    with store:
        engine.advance_when_all_is_read()
        assert set(engine.faults) == {"n"}
        assert "a value that no sink can tell (a bug, at test_isolation.py:" in engine.faults["n"]
        engine.process("s", bench.decode(later[1]))
    assert rows_of(bench, "n") == before
    assert latest_of(bench, "m") == latest_of(whole, "m")
    bench.feed([], until=until)
    assert rows_of(bench, "n") == rows_of(whole, "n")
    assert bench.latest() == whole.latest()
    assert bench.rows(*WAITING) == {"held": [], "fault": []}


def test_a_model_that_cannot_run_from_the_start_loses_nothing(two):
    whole, bench = two(), two()
    until = whole.start + 3 * DAY
    whole.feed(story(whole), until=until)
    bench.broken = {"n": "its reference is gone"}
    for batch in story(bench):
        bench.feed([batch], until=until, finish=False)
    assert rows_of(bench, "n") == {table: [] for table in TABLES}
    with Store.open_read_only(bench.path) as store:
        assert store.connection.execute("SELECT model, cause FROM fault").fetchall() == [("n", "its reference is gone")]
    bench.broken = {}
    bench.feed([], until=until)
    assert rows_of(bench, "n") == rows_of(whole, "n")
    assert rows_of(bench, "m") == rows_of(whole, "m")
    assert bench.latest() == whole.latest()
    assert bench.account() == whole.account()


def test_rows_that_until_holds_back_wait_for_their_model_in_turn(two):
    whole, bench = two(), two()
    whole.feed(story(whole), until=whole.start + 3 * DAY)
    bench.feed(story(bench), until=bench.start + HOUR)
    bench.broken = {"n": "no reference"}
    bench.feed([], until=bench.start + 3 * DAY)
    assert latest_of(bench, "m") == latest_of(whole, "m")
    bench.broken = {}
    bench.feed([], until=bench.start + 3 * DAY)
    assert bench.latest() == whole.latest()
    assert bench.account() == whole.account()


def test_what_waits_for_a_reference_keeps_its_place_when_the_model_breaks_meanwhile(two):
    first = OperatingConfig(first=two().config.windows.lateness)
    whole, bench = two(operating=first), two(operating=first)
    until = whole.start + 3 * DAY
    batches = story(whole)
    # The second to serve an id with other content is a conflict: which one is, is a matter of order.
    again = [
        bench.prediction(f"{number}-1", bench.start + number * HOUR, model="n", latency_ms=99) for number in range(3)
    ]
    batches.append(("s", again))
    whole.feed(batches, until=until)
    bench.feed(batches[:2], until=until, finish=False)
    bench.broken = {"n": "broken"}
    bench.feed(batches[2:3], until=until, finish=False)
    bench.broken = {}
    bench.feed(batches[3:], until=until, finish=False)
    bench.feed([], until=until)
    assert rows_of(bench, "n")["prediction"] == rows_of(whole, "n")["prediction"]
    assert bench.latest() == whole.latest()
    assert bench.account() == whole.account()


@pytest.mark.parametrize("bound", ["WAITING_BYTES", "WAITING_BYTES_OF_MODEL"])
def test_past_a_bound_rows_are_dropped_and_counted(bound, two, monkeypatch):
    bench = two()
    bench.broken = {"n": "broken"}
    monkeypatch.setattr(roster, bound, 1)
    for batch in story(bench):
        bench.feed([batch], until=bench.start + 3 * DAY, finish=False)
    account = bench.account()
    assert (account["prediction", "held"], account["prediction", "dropped"]) == (6, 12)
    assert ("label", "held") not in account
    assert account["label", "dropped"] == 18
    assert account["prediction", "accepted"] == 18
    bench.broken = {}
    bench.feed([], until=bench.start + 3 * DAY)
    assert bench.account()["prediction", "accepted"] == 24


def test_what_waits_for_a_model_that_is_taken_away_is_of_an_unknown_one(two):
    bench = two()
    bench.broken = {"n": "broken"}
    bench.feed(story(bench, batches=1), until=bench.start + DAY, finish=False)
    bench.broken, bench.others = {}, ()
    bench.feed([], until=bench.start + DAY)
    account = bench.account()
    assert (account["prediction", "unknown_model"], account["label", "unknown_model"]) == (6, 6)
    assert bench.rows(*WAITING) == {"held": [], "fault": []}


def test_an_error_tells_what_it_is_and_where():
    assert cause_of(StateError("kept for other\n maturities")) == "kept for other maturities"
    with pytest.raises(KeyError) as raised:
        _ = TABLES_BY_NAME["k"]
    assert cause_of(raised.value).startswith(f"unexpected KeyError: 'k' (a bug, at {Path(__file__).name}:")
    assert not is_of_state(raised.value)
    assert not is_of_state(sqlite3.IntegrityError())
    assert is_of_state(sqlite3.OperationalError("database or disk is full"))
    assert is_of_state(MemoryError())
