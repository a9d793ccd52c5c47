"""A snapshot holds the state, whole or not at all, and says so."""

import stat

import pytest

from mlvitals.errors import StateError
from mlvitals.state import Migrations, Store
from mlvitals.state.snapshot import pack, unpack, version_of

TABLES = Migrations(owner="things", steps=(("CREATE TABLE thing (name TEXT)",),))


@pytest.fixture
def packed(tmp_path):
    """A snapshot of a state that is open, and has not been written to its file yet."""
    with Store.open(tmp_path / "state.db", [TABLES]) as store:
        with store.transaction() as connection:
            connection.executemany("INSERT INTO thing VALUES (?)", [(f"thing {n}",) for n in range(10_000)])
        (tmp_path / "key").write_bytes(b"\n\x00k" * 11)
        pack(store.path, tmp_path / "key", tmp_path / "packed")
    return tmp_path / "packed"


def test_what_was_packed_is_what_is_unpacked(packed, tmp_path):
    unpack(packed, tmp_path / "again.db", tmp_path / "again.key")
    with Store.open(tmp_path / "again.db", [TABLES]) as store:
        assert store.connection.execute("SELECT count(DISTINCT name) FROM thing").fetchone() == (10_000,)
    assert (tmp_path / "again.key").read_bytes() == b"\n\x00k" * 11
    assert packed.stat().st_size < (tmp_path / "again.db").stat().st_size / 2
    for file in ("packed", "again.db", "again.key"):
        assert stat.S_IMODE((tmp_path / file).stat().st_mode) == 0o600


def test_a_key_that_is_kept_elsewhere_is_not_in_it(packed, tmp_path):
    pack(tmp_path / "state.db", None, packed)
    unpack(packed, tmp_path / "again.db", tmp_path / "again.key")
    assert not (tmp_path / "again.key").exists()


def test_two_snapshots_of_the_same_state_are_told_apart(packed, tmp_path):
    pack(tmp_path / "state.db", None, tmp_path / "second")
    assert version_of(packed) != version_of(tmp_path / "second")


@pytest.mark.parametrize("place", [0, 20, 200, 0.5, -3])
def test_a_snapshot_that_is_damaged_anywhere_is_refused(packed, tmp_path, place):
    data = bytearray(packed.read_bytes())
    data[int(place * len(data)) if isinstance(place, float) else place] ^= 0x10
    packed.write_bytes(data)
    with pytest.raises(StateError, match=r"damaged|no snapshot"):
        unpack(packed, tmp_path / "again.db", tmp_path / "again.key")


@pytest.mark.parametrize("kept", [0, 10, 300, -6, -1000])
def test_a_snapshot_that_is_not_whole_is_refused(packed, tmp_path, kept):
    packed.write_bytes(packed.read_bytes()[:kept])
    with pytest.raises(StateError, match=r"damaged|no snapshot"):
        unpack(packed, tmp_path / "again.db", tmp_path / "again.key")


def test_a_newer_programs_snapshot_is_refused_by_name(packed, tmp_path):
    packed.write_bytes(packed.read_bytes().replace(b"mlvitals state 1\n", b"mlvitals state 2\n"))
    with pytest.raises(StateError, match="a newer mlvitals'"):
        unpack(packed, tmp_path / "again.db", tmp_path / "again.key")


def test_a_snapshot_that_unpacks_to_more_than_it_says_is_not_unpacked_further(packed, tmp_path):
    head, _, rest = packed.read_bytes().partition(b'"size":')
    _, comma, body = rest.partition(b",")
    packed.write_bytes(head + b'"size":4096' + comma + body)
    with pytest.raises(StateError, match="does not hold what it says"):
        unpack(packed, tmp_path / "again.db", tmp_path / "again.key")
    assert (tmp_path / "again.db").stat().st_size < 2 << 20
