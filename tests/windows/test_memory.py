"""What is remembered by id: durable, taken back with its transaction, in few parts, and forgotten in time."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from mlvitals.windows import memory as memory_module
from mlvitals.windows.coded import Lexicon
from mlvitals.windows.memory import Memory, count_remembered, unsound_memory
from mlvitals.windows.remembered_rows import LABEL, PREDICTION
from mlvitals.windows.tables import MIGRATIONS


@pytest.fixture
def connection(tmp_path):
    with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as connection:
        for statement in (statement for step in MIGRATIONS.steps for statement in step):
            connection.execute(statement)
        yield connection


def served(*numbers, start=0):
    rows = np.zeros(len(numbers), dtype=PREDICTION.columns)
    rows["head"] = rows["tail"] = rows["fingerprint"] = numbers
    rows["until"] = rows["start"] = rows["time"] = start
    return rows


def known(memory):
    memory.refresh()
    return sorted(memory.predictions.all()["fingerprint"].tolist())


def parts(connection):
    return connection.execute("SELECT count(*) FROM remembered").fetchone()[0]


def test_another_process_finds_what_one_has_kept(connection):
    memory = Memory(connection, "m", Lexicon())
    memory.refresh()
    memory.append(PREDICTION, served(1, 2))
    assert known(Memory(connection, "m", Lexicon())) == known(memory) == [1, 2]
    assert known(Memory(connection, "other", Lexicon())) == []


def test_what_a_transaction_takes_back_is_not_found(connection):
    memory = Memory(connection, "m", Lexicon())
    memory.refresh()
    memory.append(PREDICTION, served(1))
    connection.execute("BEGIN")
    memory.append(PREDICTION, served(2))
    connection.execute("ROLLBACK")
    assert known(memory) == [1]
    connection.execute("BEGIN")
    memory.append(PREDICTION, served(3))
    connection.execute("COMMIT")
    assert known(memory) == known(Memory(connection, "m", Lexicon())) == [1, 3]


def test_codes_of_texts_that_are_gone_do_not_fill_the_memory(connection, monkeypatch):
    monkeypatch.setattr(memory_module, "_TEXTS", 10)
    lexicon = Lexicon()
    memory = Memory(connection, "m", lexicon)
    for number in range(100):
        memory.refresh()
        rows = served(number, start=number)
        rows["decision"] = lexicon.code(f"class {number}")
        memory.append(PREDICTION, rows)
        memory.forget(number)
        assert len(lexicon) <= 2 * 10
        memory.refresh()
        assert lexicon.decode(memory.predictions.all()["decision"]).to_list() == [f"class {number}"]


def test_rows_that_come_one_by_one_lie_in_few_parts(connection):
    memory = Memory(connection, "m", Lexicon())
    memory.refresh()
    for number in range(600):
        memory.append(PREDICTION, served(number))
    assert parts(connection) <= 3 * 15
    assert known(Memory(connection, "m", Lexicon())) == list(range(600))


def test_parts_do_not_grow_past_their_bound(connection, monkeypatch):
    monkeypatch.setattr(memory_module, "_ROWS_AT_MOST", 20)
    memory = Memory(connection, "m", Lexicon())
    memory.refresh()
    for number in range(100):
        memory.append(PREDICTION, served(2 * number, 2 * number + 1))
    assert connection.execute("SELECT max(rows) FROM remembered").fetchone()[0] <= 20
    assert known(Memory(connection, "m", Lexicon())) == list(range(200))


def test_the_room_of_forgotten_windows_is_given_back(connection):
    memory = Memory(connection, "m", Lexicon())
    memory.refresh()
    for start in range(16):
        memory.append(PREDICTION, served(start, start=start))  # which become one part
    assert parts(connection) == 1
    memory.forget(5)
    assert known(memory) == known(Memory(connection, "m", Lexicon())) == list(range(5, 16))
    assert count_remembered(connection, PREDICTION) == {"m": 11}
    assert count_remembered(connection, LABEL) == {}
    memory.forget(10)
    assert connection.execute("SELECT rows FROM remembered").fetchall() == [(6,)]
    assert known(memory) == known(Memory(connection, "m", Lexicon())) == list(range(10, 16))
    memory.forget(16)
    assert parts(connection) == 0
    assert known(memory) == []


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("data = x'c1'", "model m: part 1: what the state remembers by id cannot be read"),
        ("data = substr(data, 1, 40)", "model m: part 1: what the state remembers by id cannot be read"),
        ("rows = 3", "model m: part 1 of what is remembered by id holds other rows than it says"),
        ("kind = 'other'", "model m: part 1: 'other'"),
    ],
)
def test_a_part_that_is_damaged_is_told(connection, damage, said):
    memory = Memory(connection, "m", Lexicon())
    memory.refresh()
    memory.append(PREDICTION, served(1, 2))
    memory.append(LABEL, np.zeros(1, dtype=LABEL.columns))
    assert list(unsound_memory(connection)) == []
    connection.execute(f"UPDATE remembered SET {damage} WHERE sequence = 1")
    [line] = unsound_memory(connection)
    assert line.startswith(said)
