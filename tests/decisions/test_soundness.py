"""What is wrong with episodes and detectors that a state keeps is told by name."""

import zlib

import numpy as np
import pytest

from mlvitals.clock import HOUR
from mlvitals.decisions.soundness import unsound_decisions
from mlvitals.decisions.tables import MIGRATIONS, Memory
from mlvitals.decisions.words import Kind
from tests.decisions.incidents import NOON


@pytest.fixture
def connection(told):
    """A state with an episode that is over, one that lasts, one muted, and detectors that have learnt."""
    for step in MIGRATIONS.steps:
        for statement in step:
            told.connection.execute(statement)
    told.take("m", 4, ["terminal_a", "terminal_b"])
    told.take("n", 4, ["shop_a"])
    told.say(Kind.MUTE, model="n", until=NOON + 9 * HOUR)
    told.take("o", 4, ["amount"])
    told.say(Kind.ACCEPT, model="o", until=NOON + 9 * HOUR)
    told.take("m", 8, ["terminal_a"], over=["terminal_b"])
    memory = Memory(told.connection, "m", "traffic")
    memory.write("a basis", NOON, 0, [np.ones(3)])
    memory.write_usual("a basis", b"\x80")
    memory.keep(NOON, np.ones(2))
    return told.connection


def test_what_was_found_muted_accepted_and_found_again_is_sound(connection):
    assert list(unsound_decisions(connection)) == []


@pytest.mark.parametrize(
    ("statement", "lines"),
    [
        ("DELETE FROM episode_part WHERE model = 'n'", ["has 3 of its 4 findings", "is no lasting part"]),
        ("DELETE FROM episode WHERE model = 'o'", ["has findings and is not there"]),
        ("UPDATE episode_part SET finding = x'7b' WHERE model = 'o'", ["a finding of it cannot be read"]),
        ("UPDATE episode_part SET origin = x'00' WHERE model = 'o'", ["a finding of it cannot be read"]),
        ("DELETE FROM latch", ["is open, and nothing of it lasts"]),
        ("UPDATE latch SET finding = x'00' WHERE model = 'n'", ["model n: the alarm of feature shop_a cannot be read"]),
        ("UPDATE detectors SET state = x'00'", ["model m: what the detectors of traffic keep cannot be read (state)"]),
        ("UPDATE detector_window SET counts = x'00'", ["traffic keep cannot be read (counts)"]),
        ("UPDATE detector_usual SET usual = x'93'", ["traffic keep cannot be read (usual)"]),
    ],
)
def test_what_is_wrong_is_told_by_name(connection, statement, lines):
    connection.execute(statement)
    found = list(unsound_decisions(connection))
    assert len(found) == len(lines), found
    assert all(any(line in one for one in found) for line in lines), found


def test_numbers_that_were_cut_off_are_told(connection):
    connection.execute("UPDATE detectors SET state = ?", (zlib.compress(b"half"),))
    (line,) = unsound_decisions(connection)
    assert line.endswith("cannot be read (state)")
