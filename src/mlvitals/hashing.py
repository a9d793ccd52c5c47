"""Unkeyed hashes name content; the keyed hash stands for a prediction id that must not be kept."""

import hashlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

KEY_BYTES = 32
ID_BYTES = 16


def content_hash(*parts: bytes) -> str:
    """Return 32 hex digits that name this content; the parts' boundaries count."""
    framed = b"".join([piece for part in parts for piece in (len(part).to_bytes(8, "big"), part)])
    return hashlib.blake2b(framed, digest_size=16).hexdigest()


class KeyedHash:
    """Replaces prediction ids by keyed hashes (BLAKE2b as a MAC, RFC 7693, 128 bits).

    With n ids remembered at once, two share a hash with probability below n² / 2¹²⁹.
    """

    def __init__(self, key: bytes) -> None:
        self._keyed = hashlib.blake2b(key=key, digest_size=ID_BYTES)

    def digest(self, ids: Iterable[str]) -> list[bytes]:
        """Return one 16-byte hash for each id."""
        fresh = self._keyed.copy
        digests = []
        for one in ids:
            state = fresh()
            state.update(one.encode("utf-8", "surrogatepass"))
            digests.append(state.digest())
        return digests


def load_key(path: Path) -> bytes:
    """Return the key kept in `path`, making one readable by the owner only (0600) if there is none yet."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as file:
        key = secrets.token_bytes(KEY_BYTES)
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key
