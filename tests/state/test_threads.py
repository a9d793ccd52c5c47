"""A store for many threads: each has its own connection, and they write in the order in which they asked."""

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from mlvitals.errors import StateError
from mlvitals.state import Migrations, Store, is_full
from mlvitals.state.turns import Turns

SECONDS = 20.0
NUMBERS = Migrations(owner="numbers", steps=(("CREATE TABLE number (value INTEGER, body BLOB)",),))


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "state.db", [NUMBERS]) as store:
        yield store


def in_a_thread(work):
    """Do work in a thread to its end; return what it returned, or raise what it raised."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(work).result(SECONDS)


def put(store, value):
    with store.transaction() as connection:
        connection.execute("INSERT INTO number VALUES (?, NULL)", (value,))


def values(store):
    return [value for (value,) in store.connection.execute("SELECT value FROM number ORDER BY rowid").fetchall()]


def test_every_thread_has_a_connection_of_its_own(store):
    mine = store.connection
    assert in_a_thread(lambda: store.connection) is not mine
    assert store.connection is mine
    in_a_thread(lambda: put(store, 1))
    assert values(store) == [1]


def test_a_thread_does_not_join_anothers_transaction_and_does_not_see_it(store):
    began, go_on = threading.Event(), threading.Event()

    def write():
        with store.transaction() as connection:
            connection.execute("INSERT INTO number VALUES (1, NULL)")
            began.set()
            go_on.wait(SECONDS)

    other = threading.Thread(target=write)
    other.start()
    assert began.wait(SECONDS)
    assert values(store) == []
    waiting = threading.Thread(target=put, args=(store, 2))
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    go_on.set()
    other.join(SECONDS)
    waiting.join(SECONDS)
    assert values(store) == [1, 2]


def test_what_fails_in_one_thread_takes_back_nothing_of_another(store):
    def fail():
        with store.transaction() as connection:
            connection.execute("INSERT INTO number VALUES (1, NULL)")
            raise KeyError("no")

    with pytest.raises(KeyError):
        in_a_thread(fail)
    put(store, 2)
    assert values(store) == [2]


def test_a_thread_that_begins_again_at_once_starves_no_other(store):
    stop = threading.Event()
    turns: list[int] = []

    def greedy():
        while not stop.is_set():
            with store.transaction():
                turns.append(0)
                time.sleep(0.005)

    thread = threading.Thread(target=greedy)
    thread.start()
    while not turns:
        time.sleep(0.001)
    waited = []
    for value in range(20):
        before = len(turns)
        put(store, value)
        waited.append(len(turns) - before)
    stop.set()
    thread.join(SECONDS)
    assert max(waited) <= 2  # the one at hand, and the one that had asked before


def test_turns_come_in_the_order_in_which_they_were_asked_for():
    turns, order, waiting = Turns(), [], []

    def take(number):
        with turns:
            order.append(number)

    with turns:
        for number in range(8):
            thread = threading.Thread(target=take, args=(number,))
            thread.start()
            waiting.append(thread)
            while len(turns._waiting) <= number:
                time.sleep(0.001)
    for thread in waiting:
        thread.join(SECONDS)
    assert order == list(range(8))


def test_what_is_to_be_done_afterwards_is_done_when_it_is_durable_and_not_if_it_is_taken_back(store):
    told = []

    def look():
        told.append(in_a_thread(lambda: values(store)))

    with store.transaction():
        put(store, 1)
        store.afterwards(look)
        assert told == []
    assert told == [[1]]

    def fail():
        with store.transaction():
            store.afterwards(look)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    put(store, 2)
    assert told == [[1]]
    with pytest.raises(RuntimeError, match="no transaction"):
        store.afterwards(look)


def test_connections_of_threads_that_ended_are_closed_when_another_begins(store):
    for value in range(5):
        in_a_thread(lambda value=value: put(store, value))
    assert len(store._opened) <= 2


def test_closing_waits_for_the_transaction_at_hand_and_closes_the_connections_of_all(tmp_path):
    store = Store.open(tmp_path / "state.db", [NUMBERS])
    began = threading.Event()
    refused = []

    def write():
        with store.transaction() as connection:
            began.set()
            time.sleep(0.1)
            connection.execute("INSERT INTO number VALUES (7, NULL)")
        while True:
            try:
                put(store, 8)
            except (sqlite3.ProgrammingError, StateError) as error:
                refused.append(error)
                return

    thread = threading.Thread(target=write)
    thread.start()
    assert began.wait(SECONDS)
    store.close()
    thread.join(SECONDS)
    assert len(refused) == 1
    with pytest.raises(StateError, match="the state is closed"):
        in_a_thread(lambda: store.connection)
    with Store.open_read_only(tmp_path / "state.db") as reader:
        assert values(reader)[0] == 7


def test_a_full_disk_is_told_from_other_troubles_and_takes_back_the_transaction(store):
    put(store, 1)
    pages = store.connection.execute("PRAGMA page_count").fetchone()[0]
    store.connection.execute(f"PRAGMA max_page_count = {pages}")

    def fill():
        with store.transaction() as connection:
            connection.execute("INSERT INTO number VALUES (2, zeroblob(1000000))")

    with pytest.raises(sqlite3.OperationalError) as error:
        fill()
    assert is_full(error.value)
    assert values(store) == [1]
    put(store, 3)
    assert values(store) == [1, 3]
    with pytest.raises(sqlite3.OperationalError) as error:
        store.connection.execute("SELECT nothing FROM nowhere")
    assert not is_full(error.value)
    assert not is_full(StateError("in use"))


def test_to_open_a_state_that_needs_no_migration_writes_nothing(store, tmp_path):
    put(store, 1)
    store.close()
    before = (tmp_path / "state.db").read_bytes()
    Store.open(tmp_path / "state.db", [NUMBERS]).close()
    assert (tmp_path / "state.db").read_bytes() == before


def test_a_block_reads_one_moment_whatever_others_write_meanwhile(store):
    put(store, 1)
    with store.moment():
        assert values(store) == [1]
        in_a_thread(lambda: put(store, 2))
        with store.moment():
            assert values(store) == [1]
    assert values(store) == [1, 2]


def test_what_is_read_of_one_moment_is_not_written_in_it(store):
    with store.moment(), pytest.raises(RuntimeError, match="one moment"):
        put(store, 1)
    put(store, 2)
    with store.transaction() as connection:
        connection.execute("INSERT INTO number VALUES (3, NULL)")
        with store.moment():
            assert values(store) == [2, 3]
    assert values(store) == [2, 3]
