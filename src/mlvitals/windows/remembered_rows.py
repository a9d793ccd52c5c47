"""Rows that are remembered by id: what they hold, and the few bytes that they take in the state."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from mlvitals.errors import StateError
from mlvitals.windows.coded import SPELLED, Lexicon

Rows = npt.NDArray[np.void]
Words = npt.NDArray[np.uint64]


class Kind(NamedTuple):
    """What rows of one kind hold: the hash of their id in two words, when they may be forgotten, and more.

    until: they are forgotten with the windows that start at or before it. near: a column of times near another one.
    texts: columns of codes of the lexicon. cells: columns of cells of the lexicon, each with that of what these hold.
    least: how many of the columns all rows have that ever were packed; what the others hold is 0 where they are not.
    """

    name: str
    columns: np.dtype[np.void]
    least: int
    near: tuple[tuple[str, str], ...]
    texts: tuple[str, ...]
    cells: tuple[tuple[str, str], ...]


_ID: Final = [("head", "<u8"), ("tail", "<u8"), ("until", "<i8")]
PREDICTION: Final = Kind(
    name="prediction",
    columns=np.dtype(
        [
            *_ID,
            *(("start", "<i8"), ("time", "<i8"), ("fingerprint", "<i8"), ("score", "<f8"), ("amount", "<f8")),
            *(("version", "<u4"), ("decision", "<u4"), ("segments", "<u4")),
            *(("uncounted", "u1"), ("vector", "u1"), ("propensity", "<f8")),
        ]
    ),
    least=13,
    near=(("until", "start"), ("time", "start")),
    texts=("version", "decision", "segments"),
    cells=(),
)
LABEL: Final = Kind(
    name="label",
    columns=np.dtype(
        [
            *_ID,
            *(("time", "<i8"), ("content", "<u8"), ("amount", "<u8"), ("version", "<u4"), ("source", "<u4")),
            *(("content_kind", "u1"), ("amount_kind", "u1")),
        ]
    ),
    least=10,
    near=(),
    texts=("version", "source"),
    cells=(("content", "content_kind"), ("amount", "amount_kind")),
)
# Columns of few values, which may be far apart.
_FEW: Final = frozenset({"start", "until"})
_WIDTHS: Final = (1, 2, 4)


class _Column(msgspec.Struct, array_like=True):
    """The numbers of a column by what they exceed the least by, in so many bytes each; of few values, their places."""

    low: int
    width: int
    data: bytes
    values: bytes = b""


class _Packed(msgspec.Struct, array_like=True):
    rows: int
    texts: tuple[str | None, ...]
    columns: tuple[_Column, ...]


def choose_rows(rows: Rows, which: npt.NDArray[np.intp | np.bool_]) -> Rows:
    """Return the rows at some places, or under a mask, as a copy: whole, which is much faster than field by field."""
    chosen: Rows = rows.view(_whole(rows.dtype))[which].view(rows.dtype)
    return chosen


def join_rows(parts: Sequence[Rows]) -> Rows:
    """Return rows of one kind behind each other, as a copy."""
    kind = parts[0].dtype
    joined: Rows = np.concatenate([rows.view(_whole(kind)) for rows in parts]).view(kind)
    return joined


def _whole(kind: np.dtype[Any]) -> np.dtype[np.void]:
    return np.dtype((np.void, kind.itemsize))


def pack_rows(kind: Kind, rows: Rows, lexicon: Lexicon) -> bytes:
    """Return rows in few bytes, together with the texts that they have."""
    texts: dict[int, int] = {}
    held = {name: rows[name] for name in kind.columns.names or ()}
    for name in kind.texts:
        held[name] = _renumber(held[name], texts)
    for name, what in kind.cells:
        spelled = held[what] == SPELLED
        held[name] = held[name].copy()
        held[name][spelled] = _renumber(held[name][spelled], texts)
    for name, other in kind.near:
        held[name] = rows[name] - rows[other]
    columns = tuple(_squeeze(values, few=name in _FEW) for name, values in held.items())
    return msgspec.msgpack.encode(_Packed(len(rows), tuple(lexicon.text(code) for code in texts), columns))


def unpack_rows(kind: Kind, packed: bytes, lexicon: Lexicon) -> Rows:
    """Return the rows that were packed, under the lexicon at hand.

    Raises:
        StateError: they cannot be read.

    """
    try:
        return _unpack(kind, msgspec.msgpack.decode(packed, type=_Packed), lexicon)
    except (msgspec.MsgspecError, ValueError, IndexError) as error:
        raise StateError(f"what the state remembers by id cannot be read: {error}") from error


def _unpack(kind: Kind, found: _Packed, lexicon: Lexicon) -> Rows:
    codes = np.array([lexicon.code(text) for text in found.texts] or [0], dtype=np.uint64)
    rows = np.zeros(found.rows, dtype=kind.columns)
    names = kind.columns.names or ()
    if not kind.least <= len(found.columns) <= len(names):
        raise ValueError(f"{len(found.columns)} columns, not {len(names)}")
    for name, column in zip(names, found.columns, strict=False):
        rows[name] = _stretch(column, found.rows).view(_word(kind.columns[name]))
    for name in kind.texts:
        rows[name] = codes[rows[name]]
    for name, what in kind.cells:
        spelled = rows[what] == SPELLED
        rows[name][spelled] = codes[rows[name][spelled]]
    for name, other in kind.near:
        rows[name] += rows[other]
    return rows


def _renumber(codes: npt.NDArray[Any], texts: dict[int, int]) -> Words:
    """Return codes by the order in which texts stand in `texts`, to which new ones are added."""
    codes = codes.astype(np.intp)  # which every numpy counts
    used = np.flatnonzero(np.bincount(codes))  # codes of a lexicon are few, or at least dense
    table: Words = np.zeros(int(used.max(initial=0)) + 1, dtype=np.uint64)
    table[used] = [texts.setdefault(code, len(texts)) for code in used.tolist()]
    renumbered: Words = table[codes]
    return renumbered


def _word(kind: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype("<f8") if kind.kind == "f" else np.dtype("<u8" if kind.kind == "u" else "<i8")


def _squeeze(values: npt.NDArray[Any], *, few: bool) -> _Column:
    words = np.ascontiguousarray(values).astype(_word(values.dtype), copy=False)
    if few:
        known, places = np.unique(words, return_inverse=True)
        column = _squeeze(places.reshape(-1).astype(np.uint64), few=False)
        return _Column(column.low, column.width, column.data, known.tobytes())
    order = words.view(np.uint64) if words.dtype.kind == "f" else words
    low, high = (int(order.min()), int(order.max())) if len(order) else (0, 0)
    if low == high:
        return _Column(low % 2**64, 0, b"")
    above = order.view(np.uint64) - np.uint64(low % 2**64)
    width = next((width for width in _WIDTHS if high - low < 256**width), 8)
    return _Column(low % 2**64, width, above.astype(f"<u{width}").tobytes())


def _stretch(column: _Column, rows: int) -> Words:
    if column.width == 0:
        words = np.full(rows, column.low, dtype=np.uint64)
    else:
        words = np.frombuffer(column.data, dtype=f"<u{column.width}").astype(np.uint64) + np.uint64(column.low)
    return np.frombuffer(column.values, dtype="<u8")[words.astype(np.intp)] if column.values else words
