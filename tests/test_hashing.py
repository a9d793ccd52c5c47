import hashlib
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.hashing import ID_BYTES, KEY_BYTES, KeyedHash, content_hash, load_key


@given(st.lists(st.binary(max_size=8), max_size=4), st.lists(st.binary(max_size=8), max_size=4))
def test_a_content_hash_tells_every_list_of_parts_from_every_other(one, other):
    assert (content_hash(*one) == content_hash(*other)) == (one == other)


def test_a_content_hash_counts_where_the_parts_end():
    assert content_hash(b"ab", b"c") != content_hash(b"a", b"bc")
    assert content_hash(b"abc") != content_hash(b"abc", b"")


def test_a_content_hash_never_changes():
    assert content_hash(b"layout", b"") == "a4b3aedb88f7eacc3843d2c68aa09a3f"
    assert len(content_hash()) == 32


def test_ids_are_hashed_by_the_standard_keyed_function():
    expected = [hashlib.blake2b(one.encode(), key=b"k" * KEY_BYTES, digest_size=ID_BYTES).digest() for one in "ab"]
    assert KeyedHash(b"k" * KEY_BYTES).digest("ab") == expected


def test_another_key_gives_other_hashes():
    ids = [str(n) for n in range(100)]
    one, other = KeyedHash(b"1" * KEY_BYTES).digest(ids), KeyedHash(b"2" * KEY_BYTES).digest(ids)
    assert not set(one) & set(other)
    assert len(set(one)) == len(ids)


@given(st.lists(st.text(st.characters(), max_size=5), max_size=5))
def test_any_text_is_an_id_lone_surrogates_too(ids):
    digests = KeyedHash(b"k").digest(ids)
    assert len(digests) == len(ids)
    assert len(set(digests)) == len(set(ids))


def test_a_key_is_made_once_and_readable_by_its_owner_only(tmp_path):
    path = tmp_path / "key"
    key = load_key(path)
    assert len(key) == KEY_BYTES
    assert load_key(path) == key == path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(tmp_path / "other") != key


def test_a_file_that_holds_no_key_is_refused_for_it_would_hash_without_one(tmp_path):
    for content in (b"", b"short"):
        (tmp_path / "key").write_bytes(content)
        with pytest.raises(ValueError, match=f"holds no key for the ids' hash: {len(content)} bytes of at least 16"):
            load_key(tmp_path / "key")


def test_a_key_of_any_greater_length_is_taken(tmp_path):
    digests = set()
    for length in (16, 32, 64, 65, 1000):
        (tmp_path / "key").write_bytes(b"k" * length)
        digests.update(KeyedHash(load_key(tmp_path / "key")).digest(["id"]))
    assert len(digests) == 5


def test_a_key_is_made_whole(tmp_path):
    load_key(tmp_path / "key")
    assert [file.name for file in tmp_path.iterdir()] == ["key"]
