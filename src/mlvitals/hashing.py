"""Unkeyed hashes name content; the keyed hash stands for a prediction id that must not be kept."""

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

KEY_BYTES = 32
LEAST_KEY_BYTES = 16
ID_BYTES = 16


def content_hash(*parts: bytes) -> str:
    """Return 32 hex digits that name this content; the parts' boundaries count."""
    framed = b"".join([_length(len(part)) + part for part in parts])
    return hashlib.blake2b(framed, digest_size=16).hexdigest()


@lru_cache(maxsize=1_024)
def _length(size: int) -> bytes:
    return size.to_bytes(8, "big")


class KeyedHash:
    """Replaces prediction ids by keyed hashes (BLAKE2b as a MAC, RFC 7693, 128 bits).

    With n ids remembered at once, two share a hash with probability below n² / 2¹²⁹.
    """

    def __init__(self, key: bytes) -> None:
        self._keyed = hashlib.blake2b(key=key, digest_size=ID_BYTES)

    def digest(self, ids: Iterable[str]) -> list[bytes]:
        """Return one 16-byte hash for each id."""
        fresh, digests = self._keyed.copy, list[bytes]()
        add = digests.append
        for one in ids:
            state = fresh()
            try:
                state.update(one.encode())
            except UnicodeEncodeError:
                state.update(one.encode("utf-8", "surrogatepass"))
            add(state.digest())
        return digests

    def words(self, ids: Iterable[str]) -> npt.NDArray[np.uint64]:
        """Return the hash of each id as two words, shape (ids, 2), in the order of the bytes."""
        return np.frombuffer(b"".join(self.digest(ids)), dtype=">u8").astype(np.uint64).reshape(-1, 2)


def load_key(path: Path) -> bytes:
    """Return the key kept in `path`, making one readable by the owner only (0600) if there is none yet.

    Raises:
        ValueError: the file holds too little for a key: an empty one would make the hash one without a key.

    """
    if not path.exists():
        _make_key(path)
    key = path.read_bytes()
    if len(key) < LEAST_KEY_BYTES:
        raise ValueError(f"{path}: holds no key for the ids' hash: {len(key)} bytes of at least {LEAST_KEY_BYTES}")
    # What is longer than the function takes (RFC 7693, section 2.1) becomes its hash.
    return key if len(key) <= hashlib.blake2b.MAX_KEY_SIZE else hashlib.blake2b(key).digest()


def _make_key(path: Path) -> None:
    """Make the file whole or not at all; one that another process made meanwhile stays."""
    beside = path.with_name(f"{path.name}.partial-{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(beside)
    finally:
        beside.unlink()
