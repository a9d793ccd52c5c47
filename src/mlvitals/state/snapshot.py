"""The state as one object that is kept elsewhere: packed, checked, and replaced only by who has seen the last one."""

import base64
import hashlib
import secrets
import tempfile
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import msgspec
import zstandard

from mlvitals.errors import StateError
from mlvitals.state.backup import back_up, make_private

_MAGIC: Final = b"mlvitals state 1\n"
_ANY_MAGIC: Final = b"mlvitals state "
_HEADER_BYTES: Final = 4096
_PIECE: Final = 1 << 20
_LEVEL: Final = 3


class SnapshotRacedError(StateError):
    """Another process has replaced the snapshot since it was fetched: what was made of it is not kept."""


class SnapshotStore(Protocol):
    """Where one snapshot is kept: an object with a version that changes whenever it is replaced."""

    @property
    def place(self) -> str:
        """Where it is, in words for a person, without secrets."""
        ...

    def fetch(self, target: Path) -> str | None:
        """Write the object to a file and return its version; None where there is none yet.

        Raises:
            StateError: it cannot be had.

        """
        ...

    def replace(self, source: Path, expected: str | None) -> str:
        """Put a file in the place of the object with a version, or where there is none yet; return its new version.

        To be asked again after an answer was lost does no harm: what is there then is known to be ours.

        Raises:
            SnapshotRacedError: there is another version.
            StateError: it cannot be kept, or nobody knows whether it was.

        """
        ...


class _Header(msgspec.Struct, frozen=True, kw_only=True):
    """What stands before the database: its size and hash, the key of the ids' hash, and what makes each one differ."""

    size: int
    hash: str
    key: str | None
    token: str


def pack(state: Path, key: Path | None, target: Path) -> None:
    """Write a snapshot of a state, which may be open, and of the key of its ids unless that is kept elsewhere.

    Raises:
        StateError: the state is damaged, or there is no room.

    """
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        copy = Path(folder) / "copy.db"
        size = back_up(state, copy)
        header = _Header(
            size=size,
            hash=_hash(copy),
            key=None if key is None else base64.b64encode(key.read_bytes()).decode(),
            token=secrets.token_hex(16),
        )
        make_private(target)
        compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        with copy.open("rb") as file, target.open("wb") as packed:
            packed.write(_MAGIC + msgspec.json.encode(header) + b"\n")
            compressor.copy_stream(file, packed, size=size)


def unpack(packed: Path, state: Path, key: Path) -> None:
    """Write the state, and the key if it is with it, that `pack` was given.

    Raises:
        StateError: it is no snapshot, a newer program's, or not whole.

    """
    with packed.open("rb") as file:
        header = _read_header(file)
        make_private(state)
        seen = hashlib.blake2b(digest_size=16)
        left = header.size
        try:
            with zstandard.ZstdDecompressor().stream_reader(file) as reader, state.open("wb") as target:
                while piece := reader.read(_PIECE):
                    left -= len(piece)
                    if left < 0:
                        break
                    seen.update(piece)
                    target.write(piece)
        except zstandard.ZstdError as error:
            raise StateError(f"the snapshot is damaged: {error}") from error
    if left or seen.hexdigest() != header.hash:
        raise StateError("the snapshot is damaged: it does not hold what it says")
    if header.key is not None:
        make_private(key)
        key.write_bytes(base64.b64decode(header.key))


def version_of(packed: Path) -> str:
    """Return what tells a snapshot from every other: no two are alike."""
    with packed.open("rb") as file:
        return _read_header(file).token


def _read_header(file: BinaryIO) -> _Header:
    magic = file.readline(len(_MAGIC))
    if magic != _MAGIC:
        newer = magic.startswith(_ANY_MAGIC)
        raise StateError("the snapshot is a newer mlvitals'" if newer else "it is no snapshot of a state")
    try:
        return msgspec.json.decode(file.readline(_HEADER_BYTES), type=_Header)
    except msgspec.DecodeError as error:
        raise StateError("the snapshot is damaged: its header cannot be read") from error


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
