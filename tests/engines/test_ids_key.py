"""A state goes with the key under which it remembers ids, and with no other."""

import pytest

from mlvitals.engines.ids_key import hold_key, is_key_of
from mlvitals.engines.tables import MIGRATIONS
from mlvitals.errors import StateError
from mlvitals.state import Store


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "state.db", [MIGRATIONS]) as store:
        yield store


def test_a_state_is_bound_to_the_first_key_and_opens_with_it_again(store, tmp_path):
    first = hold_key(store, tmp_path / "key").digest(["id"])
    assert hold_key(store, tmp_path / "key").digest(["id"]) == first
    assert is_key_of(store, tmp_path / "key")


def test_another_key_is_refused(store, tmp_path):
    hold_key(store, tmp_path / "key")
    (tmp_path / "key").write_bytes(b"k" * 32)
    assert not is_key_of(store, tmp_path / "key")
    with pytest.raises(StateError, match="key: is not the key under which the state remembers its predictions"):
        hold_key(store, tmp_path / "key")


def test_a_key_that_is_gone_is_not_replaced_by_a_new_one(store, tmp_path):
    hold_key(store, tmp_path / "key")
    (tmp_path / "key").unlink()
    assert not is_key_of(store, tmp_path / "key")
    with pytest.raises(StateError, match="key: the key is gone"):
        hold_key(store, tmp_path / "key")
    assert not (tmp_path / "key").exists()


def test_a_state_that_is_bound_to_none_takes_any(store, tmp_path):
    (tmp_path / "key").write_bytes(b"k" * 32)
    assert is_key_of(store, tmp_path / "key")


def test_a_file_that_holds_no_key_is_refused(store, tmp_path):
    (tmp_path / "key").write_bytes(b"")
    with pytest.raises(StateError, match="key: holds no key for the ids' hash: 0 bytes of at least 16"):
        hold_key(store, tmp_path / "key")
