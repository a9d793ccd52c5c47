"""Columns of texts by code: few texts, many rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Codes = npt.NDArray[np.intp]

# What a cell of a remembered text holds: a code of the lexicon, or a number that spells it.
SPELLED: Final = 0
FLOAT: Final = 1
WHOLE: Final = 2

EMPTY: Final = 1  # the code of the empty text in any lexicon

_EXACT_BELOW: Final = 2.0**53


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A column of texts: row i has `texts[codes[i]]`, None where it has none. A text may stand in `texts` twice."""

    codes: Codes
    texts: tuple[str | None, ...]

    @classmethod
    def of(cls, values: Sequence[str | None]) -> Self:
        """Return the column of these values."""
        known: dict[str | None, int] = {}
        codes = [known.setdefault(value, len(known)) for value in values]
        return cls(np.array(codes, dtype=np.intp), tuple(known))

    @classmethod
    def of_arrow(cls, array: pa.Array, absent: str | None = None) -> Self:
        """Return the column of an array of strings; nulls read as `absent`."""
        encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
        texts = (*encoded.dictionary.to_pylist(), absent)
        return cls(np.asarray(encoded.indices.fill_null(len(texts) - 1)).astype(np.intp), texts)

    @classmethod
    def constant(cls, text: str | None, rows: int) -> Self:
        """Return a column that says the same in every row."""
        return cls(np.zeros(rows, dtype=np.intp), (text,))

    @classmethod
    def joined(cls, parts: Sequence["Coded"]) -> Self:
        """Return columns one below another."""
        codes, texts = [np.zeros(0, dtype=np.intp)], list[str | None]()
        for part in parts:
            codes.append(part.codes + len(texts))
            texts += part.texts
        return cls(np.concatenate(codes), tuple(texts))

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.codes)

    def take(self, rows: npt.NDArray[Any]) -> "Coded":
        """Return these rows."""
        return Coded(self.codes[rows], self.texts)

    def to_list(self) -> list[str | None]:
        """Return the text of each row."""
        return [self.texts[code] for code in self.codes.tolist()]

    def map(self, function: Callable[[str | None], Any], kind: npt.DTypeLike) -> npt.NDArray[Any]:
        """Return what a function says of each row's text, asked once for each text."""
        return np.array([function(text) for text in self.texts], dtype=kind)[self.codes]

    def ranks(self) -> Codes:
        """Return for each row a number that orders as its text does, equal where texts are; no text comes first."""
        ordered = sorted(set(self.texts), key=lambda text: (text is not None, text or ""))
        return self.map({text: rank for rank, text in enumerate(ordered)}.get, np.intp)


class Lexicon:
    """Codes of the texts that are remembered, the same until it is emptied; that of an empty text never changes."""

    def __init__(self) -> None:
        self.empty()

    def __len__(self) -> int:
        """Return how many texts have a code."""
        return len(self._texts)

    def empty(self) -> None:
        """Forget all codes."""
        self._texts: list[str | None] = [None, ""]
        self._codes: dict[str | None, int] = {text: code for code, text in enumerate(self._texts)}

    def code(self, text: str | None) -> int:
        """Return the code of a text."""
        known = self._codes.get(text)
        if known is None:
            known = self._codes[text] = len(self._texts)
            self._texts.append(text)
        return known

    def text(self, code: int) -> str | None:
        """Return the text that has a code."""
        return self._texts[code]

    def encode(self, column: Coded) -> npt.NDArray[np.uint32]:
        """Return the code of each row's text."""
        return column.map(self.code, np.uint32)

    def decode(self, codes: npt.NDArray[Any]) -> Coded:
        """Return the texts that have these codes."""
        table = np.zeros(len(self._texts), dtype=np.intp)
        table[codes] = 1
        used = np.flatnonzero(table)
        table[used] = np.arange(len(used))
        return Coded(table[codes], tuple(self._texts[code] for code in used.tolist()))

    def cells(self, column: Coded) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8]]:
        """Return each row's text as a cell and what it holds: numbers, of which there is no end, take no code."""
        held = [self._cell(text) for text in column.texts]
        kinds = np.array([kind for kind, _ in held], dtype=np.uint8)
        cells = np.array([cell for _, cell in held], dtype=np.uint64)
        return cells[column.codes], kinds[column.codes]

    def read_cells(self, cells: npt.NDArray[np.uint64], kinds: npt.NDArray[np.uint8]) -> Coded:
        """Return the texts that cells hold."""
        codes, texts = np.zeros(len(cells), dtype=np.intp), list[str | None]()
        for kind in np.flatnonzero(np.bincount(kinds, minlength=1)).tolist():
            mine = kinds == kind
            used, places = _distinct(cells[mine])
            codes[mine] = len(texts) + places
            texts += [self._spell(kind, cell) for cell in used]
        return Coded(codes, tuple(texts))

    def _cell(self, text: str | None) -> tuple[int, int]:
        try:
            number = float(text or "")
        except ValueError:
            return SPELLED, self.code(text)
        bits = int(np.float64(number).view(np.uint64))
        if repr(number) == text:
            return FLOAT, bits
        if abs(number) < _EXACT_BELOW and number.is_integer() and str(int(number)) == text:
            return WHOLE, bits
        return SPELLED, self.code(text)

    def _spell(self, kind: int, cell: np.uint64) -> str | None:
        if kind == SPELLED:
            return self._texts[int(cell)]
        number = float(cell.view(np.float64))
        return repr(number) if kind == FLOAT else str(int(number))


def _distinct(cells: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.uint64], Codes]:
    """Return the distinct cells of some, and the place of each among these."""
    encoded = pa.array(cells).dictionary_encode()
    return np.asarray(encoded.dictionary), np.asarray(encoded.indices).astype(np.intp)
