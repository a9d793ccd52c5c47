"""Reading mapped documents both ways: at once where they are alike, one by one where they are not."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from mlvitals import wire
from mlvitals.formats.base import DecodePlan
from mlvitals.formats.chunks import Chunk, LineChunk, Numbers, TableChunk
from mlvitals.formats.documents import open_texts
from mlvitals.formats.fieldmap import FieldMap, Tests
from mlvitals.formats.jsonblocks import BlockReader
from mlvitals.formats.jsonrows import Cells
from mlvitals.formats.linetests import failures, passing
from mlvitals.formats.mappedcolumns import Columns, Typed, native_columns
from mlvitals.formats.mappedrows import HALF, REQUEST, RESPONSE, ReadLines, read_objects, take_single
from mlvitals.formats.paths import Path, begins
from mlvitals.formats.rows import Mask, Rows, concatenate
from mlvitals.formats.trees import wanted_below
from mlvitals.formats.unfold import SlowError, Unfolded

_SLOW_LINES: Final = 256
_PIECES: Final = 8
_SAMPLE: Final = 64
_PLAIN_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_NO_WORDS: Final = frozenset({"true", "false", "nan", "inf", "infinity"})


class MappedReader:
    """Reads documents by a mapping, and remembers what types they have had."""

    def __init__(self, fields: FieldMap, plan: DecodePlan) -> None:
        self._fields = fields
        self._plan = plan
        wanted, open_names = wanted_below((), fields)
        self._lines = BlockReader(wanted, open_names=open_names)
        self._texts = {path: _text_reader(path, fields) for path in fields.json}
        self._values = tuple(fields.values())
        self._words = _words(fields)

    def read(self, lines: Sequence[bytes], numbers: Numbers) -> ReadLines:
        """Read lines that hold something."""
        kept: Sequence[int] = range(len(lines))
        for words in self._words:
            kept = _holding(words, lines, kept)
        skipped = len(lines) - len(kept)
        if skipped:
            lines, numbers = [lines[index] for index in kept], numbers[kept]
        return self._read_all(LineChunk(lines, numbers), skipped)

    def read_table(self, table: pa.StructArray, numbers: Numbers) -> ReadLines:
        """Read documents that are columns already."""
        return self._read_all(TableChunk(table, numbers), 0)

    def _names(self) -> list[str]:
        named = [name for name, _ in self._fields.single]
        wanted = [wire.FEATURE_PREFIX + name for name in self._plan.features or {}]
        return [*named, *self._fields.constants, wire.ERROR, HALF, *wanted]

    def _read_all(self, chunk: Chunk, skipped: int) -> ReadLines:
        if not len(chunk):
            return ReadLines(Rows(columns={}, lines=np.zeros(0, dtype=np.int64)), skipped)
        pieces = list(self._read_pieces(chunk))
        rows = concatenate([piece.rows for piece in pieces], self._names())
        return ReadLines(rows, skipped + sum(piece.skipped for piece in pieces))

    def _read_pieces(self, chunk: Chunk) -> Iterator[ReadLines]:
        """Read documents fast if possible, in smaller pieces if not."""
        read = self._read_fast(chunk)
        if read is None and self._learn(self._sample(chunk)):
            read = self._read_fast(chunk)
        if read is not None:
            yield read
        elif len(chunk) <= _SLOW_LINES:
            yield read_objects(*chunk.objects(), self._fields, self._plan)
        else:
            size = -(-len(chunk) // _PIECES)
            for start in range(0, len(chunk), size):
                yield from self._read_pieces(chunk.part(start, start + size))

    def _sample(self, chunk: Chunk) -> Chunk:
        """Return what is learnt from: of many documents some, of few (which may have been left alone) all."""
        return chunk if len(chunk) <= _SLOW_LINES else chunk.part(0, len(chunk), len(chunk) // _SAMPLE)

    def _read_fast(self, chunk: Chunk) -> ReadLines | None:
        columns = chunk.columns(self._lines)
        if columns is None or len(columns) != len(chunk):
            return None
        try:
            return self._unfold(columns, chunk.numbers)
        except SlowError:
            return None

    def _unfold(self, root: pa.StructArray, numbers: Numbers) -> ReadLines:
        fields = self._fields
        unfolded = Unfolded(root, fields)
        early, late = _part(fields.where, fields.json)
        unfolded.select(passing(unfolded, early))
        unfolded.open_json(self._texts, self._values)
        unfolded.select(passing(unfolded, late))
        responses = self._select_halves(unfolded)
        skipped = len(numbers) - len(unfolded.lines)
        errors = failures(unfolded, fields.failed)
        skipped += unfolded.open_rows()
        columns = Columns(unfolded.count)
        parents = pa.array(unfolded.parents)
        if errors is not None:
            array = errors.take(parents)
            columns.add(wire.ERROR, array, Typed(array))
        native_columns(columns, unfolded, fields)
        self._fill_constants(columns)
        if responses is not None:
            half = pa.array(np.where(responses, RESPONSE, REQUEST), pa.string()).take(parents)
            columns.add(HALF, half, Typed(half))
        lines = numbers[unfolded.lines][unfolded.parents]
        return ReadLines(Rows(columns=columns.columns, wrong=columns.wrong, lines=lines), skipped)

    def _select_halves(self, unfolded: Unfolded) -> Mask | None:
        """Keep the lines that are halves; return where they are responses."""
        half = self._fields.half
        if half is None:
            return None
        nothing = np.zeros(len(unfolded.lines), dtype=bool)
        requests = nothing if half.request is None else passing(unfolded, half.request)
        responses = nothing if half.response is None else passing(unfolded, half.response) & ~requests
        chosen = requests | responses
        unfolded.select(chosen)
        kept: Mask = responses[chosen]
        return kept

    def _fill_constants(self, columns: Columns) -> None:
        for name, value in self._fields.constants.items():
            cells = Cells()
            take_single(cells, name, value, self._fields)
            if name in cells.values or name in cells.wrong:
                columns.fill(name, cells.values.get(name), wrong=name in cells.wrong)

    def _learn(self, chunk: Chunk) -> bool:
        """Take in the types that some documents have; return whether that changed anything."""
        documents, _, _ = chunk.objects()
        changed = self._lines.learn(documents) if isinstance(chunk, LineChunk) else False
        for path, reader in self._texts.items():
            changed |= reader.learn(open_texts(documents, path))
        return changed


def _text_reader(path: Path, fields: FieldMap) -> BlockReader:
    wanted, open_names = wanted_below(path, fields)
    return BlockReader(wanted, open_names=open_names, texts=True)


def _part(tests: Tests, texts: Sequence[Path]) -> tuple[Tests, Tests]:
    """Part tests that need no text opened from those that do."""
    late = tuple(test for test in tests if any(begins(test[0], text) for text in texts))
    return tuple(test for test in tests if test not in late), late


def _words(fields: FieldMap) -> list[list[bytes]]:
    """Return words of which a line must hold one, for each test that asks for plain words only."""
    words = []
    for _, several in fields.where:
        plain = [one for one in several if isinstance(one, str) and _is_plain(one)]
        if len(plain) == len(several):
            words.append([one.encode() for one in plain])
    return words


def _holding(words: Sequence[bytes], lines: Sequence[bytes], places: Sequence[int]) -> list[int]:
    """Return the places of lines that hold a word, or an escape that may spell one."""
    if len(words) == 1:
        [word] = words
        return [place for place in places if word in lines[place] or b"\\u" in lines[place]]
    return [place for place in places if any(word in lines[place] for word in (*words, b"\\u"))]


def _is_plain(word: str) -> bool:
    return _PLAIN_WORD.fullmatch(word) is not None and word.lower() not in _NO_WORDS
