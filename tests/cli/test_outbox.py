"""`mlvitals outbox`: what waits and what was refused is shown, tried again or dropped, and the account adds up."""

import json
import sqlite3
from contextlib import closing

import pytest

from mlvitals.delivery import Fate
from mlvitals.state import Store

KEY = "hunter2-hunter2"


@pytest.fixture
def sending(world, receiver):
    world.configure(
        sinks=[{"type": "local"}, {"type": "otlp", "endpoint": receiver.url, "headers": {"x-key": KEY}}],
        budget={"export": "full"},
    )
    return world


def state(world):
    return world.folder / "state" / "state.db"


def account(world, destination="otlp"):
    """Return the totals and what waits, after seeing that they add up."""
    with closing(sqlite3.connect(state(world))) as connection:
        query = "SELECT fate, items FROM delivery_total WHERE destination = ?"
        totals = dict(connection.execute(query, (destination,)))
        query = "SELECT coalesce(sum(items), 0) FROM outbox WHERE destination = ?"
        (waiting,) = connection.execute(query, (destination,)).fetchone()
    assert totals.keys() <= {fate.value for fate in Fate}
    enqueued = totals.pop("enqueued")
    assert enqueued == sum(totals.values()) + waiting
    return totals, waiting


def shown(mlvitals, world, *words):
    answer = mlvitals("outbox", "show", "-c", world.config, "--format", "jsonl", *words)
    assert answer.code == 0, answer.err
    assert KEY not in answer.out + answer.err
    return [json.loads(line) for line in answer.out.splitlines()]


def bury(world):
    """Make dead letters of everything that waits, but take the first request of the logs in part."""
    with closing(sqlite3.connect(state(world))) as connection, connection:
        rows = "enqueued, 7, route, items, {lost}, size, first, last, body FROM outbox WHERE destination = 'otlp'"
        names = "destination, fate, reason, enqueued, buried, route, items, lost, size, first, last, body"
        first = "(SELECT min(sequence) FROM outbox WHERE route = 'logs' AND items > 1 AND destination = 'otlp')"
        for fate, lost, which in (("dead", "items", "<>"), ("rejected", "1", "=")):
            columns = rows.format(lost=lost)
            connection.execute(
                f"INSERT INTO dead_letter ({names}) SELECT 'otlp', '{fate}', 'no good', {columns}"
                f" AND sequence {which} {first}"
            )
        totals = dict(
            connection.execute("SELECT fate, sum(lost) FROM dead_letter GROUP BY fate UNION SELECT 'all', 0").fetchall()
        )
        (waiting,) = connection.execute("SELECT sum(items) FROM outbox WHERE destination = 'otlp'").fetchone()
        totals["delivered"] = waiting - totals["dead"] - totals["rejected"]
        for fate in ("dead", "rejected", "delivered"):
            connection.execute("INSERT INTO delivery_total VALUES ('otlp', ?, ?)", (fate, totals[fate]))
        connection.execute("DELETE FROM outbox WHERE destination = 'otlp'")


def test_what_waits_is_shown_by_route_with_the_reason(sending, receiver, mlvitals):
    receiver.html = True
    assert mlvitals("run", "-c", sending.config, "--once").code == 1
    rows = shown(mlvitals, sending)
    assert {(row["destination"], row["route"], row["state"]) for row in rows} == {
        ("otlp", "metrics", "held"),
        ("otlp", "logs", "held"),
    }
    assert all("is this the address of an OTLP receiver?" in row["reason"] for row in rows)
    assert sum(row["items"] for row in rows) == account(sending)[1]
    assert shown(mlvitals, sending, "--destination", "local") == []
    table = mlvitals("outbox", "show", "-c", sending.config)
    assert "held" in table.out
    assert {f"  otlp, {row['route']}: {row['reason']}" for row in rows} < {*table.out.splitlines()}


def test_a_hold_that_is_cleared_is_tried_at_once(sending, receiver, mlvitals):
    receiver.refuse = 100_000
    mlvitals("run", "-c", sending.config, "--once", "--patience", "0s")
    answer = mlvitals("outbox", "retry", "-c", sending.config, "--destination", "otlp")
    assert answer.code == 0, answer.err
    assert "are tried at once by the next run" in answer.out
    assert {row["state"] for row in shown(mlvitals, sending)} == {"sends"}
    receiver.refuse = 0
    assert mlvitals("run", "-c", sending.config, "--once").code == 0
    assert account(sending)[1] == 0
    assert mlvitals("outbox", "show", "-c", sending.config).out == "outbox: nothing\n"


def test_dead_letters_are_shown_and_put_back_but_for_what_was_taken_in_part(sending, receiver, mlvitals):
    receiver.refuse = 100_000
    mlvitals("run", "-c", sending.config, "--once", "--patience", "0s")
    bury(sending)
    before, _ = account(sending)
    letters = shown(mlvitals, sending, "--dead")
    assert {(letter["fate"], letter["reason"]) for letter in letters} == {("dead", "no good"), ("rejected", "no good")}
    answer = mlvitals("outbox", "retry", "-c", sending.config, "--dead")
    assert answer.code == 0, answer.err
    assert "1 stay: some of their items were taken" in answer.out
    after, waiting = account(sending)
    assert after == before  # totals never fall: they are enqueued once more
    assert waiting == before["dead"]
    assert [letter["fate"] for letter in shown(mlvitals, sending, "--dead")] == ["rejected"]
    receiver.refuse = 0
    mlvitals("run", "-c", sending.config, "--once")
    assert account(sending)[0]["delivered"] >= before["delivered"] + before["dead"]


def test_what_waits_is_dropped_by_a_persons_word_and_counted(sending, receiver, mlvitals):
    receiver.refuse = 100_000
    mlvitals("run", "-c", sending.config, "--once", "--patience", "0s")
    _, waiting = account(sending)
    words = ["outbox", "drop", "-c", sending.config, "--destination", "otlp"]
    refused = mlvitals(*words)
    assert (refused.code, "say so with --yes" in refused.err) == (2, True)
    assert account(sending)[1] == waiting
    answer = mlvitals(*words, "--yes")
    assert answer.code == 0, answer.err
    totals, rest = account(sending)
    assert (totals["dropped"], rest) == (waiting, 0)
    assert shown(mlvitals, sending) == []


def test_dead_letters_are_forgotten_and_stay_counted(sending, receiver, mlvitals):
    receiver.refuse = 100_000
    mlvitals("run", "-c", sending.config, "--once", "--patience", "0s")
    bury(sending)
    before = account(sending)
    assert mlvitals("outbox", "drop", "-c", sending.config, "--destination", "otlp", "--dead", "--yes").code == 0
    assert account(sending) == before
    assert shown(mlvitals, sending, "--dead") == []


def test_only_showing_is_allowed_while_a_run_holds_the_state(sending, mlvitals):
    mlvitals("run", "-c", sending.config, "--once")
    with Store.open(state(sending), ()):
        assert mlvitals("outbox", "show", "-c", sending.config).code == 0
        for words in (["retry"], ["drop", "--destination", "otlp", "--yes"]):
            answer = mlvitals("outbox", *words, "-c", sending.config)
            assert answer.code == 3
            assert "is in use by another mlvitals process" in answer.err


def test_a_destination_that_was_never_sent_to_is_told_from_others(sending, mlvitals):
    assert mlvitals("outbox", "retry", "-c", sending.config).code == 3  # there is no state yet
    mlvitals("run", "-c", sending.config, "--once")
    answer = mlvitals("outbox", "retry", "-c", sending.config, "--destination", "otpl")
    assert answer.code == 2
    assert "nothing was ever enqueued for `otpl`: local, otlp" in answer.err
