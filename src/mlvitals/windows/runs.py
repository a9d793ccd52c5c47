"""Remembered rows in the order of their ids, where many ids are found at once; large runs are kept out of memory."""

import mmap
import tempfile
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mlvitals.windows.remembered_rows import Rows, Words, choose_rows, join_rows

Codes = npt.NDArray[np.intp]

_TOGETHER: Final = 8  # so many runs of like size become one
_IN_MEMORY: Final = 262_144  # rows; a run of more is mapped from a file that has no name
_AT_ONCE: Final = 262_144  # rows that are in memory while runs become one
_STRETCH: Final = 65_536  # rows
_LEAST: Final = -(2**63)


class _Run:
    """Rows sorted by the first word of their id, which stands alone as well.

    mapped: the file that the rows are mapped from, if they are. That of their heads is read by every search, and stays
    in memory for as long as the system has room.
    """

    def __init__(self, heads: Words, rows: Rows, newest: int, mapped: mmap.mmap | None = None) -> None:
        self.heads = heads
        self.rows = rows
        self.newest = newest  # the greatest `until`
        self._mapped = mapped

    @classmethod
    def of(cls, rows: Rows) -> "_Run":
        """Return the run of rows in order, in memory."""
        return cls(np.ascontiguousarray(rows["head"]), rows, _newest(rows))

    def take(self, places: Codes) -> Rows:
        """Return the rows at these ascending places; of a file no more is in memory at once than a stretch of it."""
        if self._mapped is None:
            return choose_rows(self.rows, places)
        taken = [self.rows[:0]]
        cuts = np.searchsorted(places, np.arange(0, len(self.rows) + _AT_ONCE, _AT_ONCE)).tolist()
        for first, last in pairwise(cuts):
            if first < last:
                taken.append(choose_rows(self.rows, places[first:last]))
                self.release()
        return join_rows(taken)

    def release(self) -> None:
        """Let go of the memory that reading has filled."""
        if self._mapped is not None:
            self._mapped.madvise(mmap.MADV_DONTNEED)


class Found(NamedTuple):
    """Rows that were found: each with the place of its id among those that were looked for."""

    places: Codes
    rows: Rows


class Runs:
    """A working copy of rows in runs that grow by the same factor. It can be made again at any time.

    folder: where files may be made that large runs are mapped from; where it takes no more, these stay in memory.
    """

    def __init__(self, columns: np.dtype[np.void], folder: Path | None) -> None:
        self._columns = columns
        self._folder = folder
        self._levels: list[list[_Run]] = []
        self._before = _LEAST

    def add(self, rows: Rows) -> None:
        """Add rows."""
        if len(rows):
            self._push(_Run.of(choose_rows(rows, np.argsort(rows["head"]))), 0)

    def find(self, heads: Words, tails: Words) -> Found:
        """Return all rows of these ids, which are given in ascending order, each once."""
        places, rows = [np.zeros(0, dtype=np.intp)], [np.zeros(0, dtype=self._columns)]
        for run in self._all():
            at = _search(run.heads, heads)
            asked = np.arange(len(heads))
            while len(asked):
                inside = at < len(run.heads)
                asked, at = asked[inside], at[inside]
                same = run.heads[at] == heads[asked]
                asked, at = asked[same], at[same]
                found = run.take(at)
                mine = (found["tail"] == tails[asked]) & (found["until"] >= self._before)
                places.append(asked[mine])
                rows.append(choose_rows(found, mine))
                at = at + 1
            run.release()
        return Found(np.concatenate(places), join_rows(rows))

    def forget(self, before: int) -> None:
        """Find no row any more that is kept for windows before a time only; its room is used again by and by."""
        self._before = before
        for level in self._levels:
            level[:] = [run for run in level if run.newest >= before]

    def all(self) -> Rows:
        """Return every row."""
        rows = join_rows([np.zeros(0, dtype=self._columns), *(run.rows for run in self._all())])
        return choose_rows(rows, rows["until"] >= self._before)

    def _all(self) -> Iterator[_Run]:
        for level in self._levels:
            yield from level

    def _push(self, run: _Run, place: int) -> None:
        if place == len(self._levels):
            self._levels.append([])
        level = self._levels[place]
        level.append(run)
        if len(level) == _TOGETHER:
            merged = self._merge(level)
            level.clear()
            self._push(merged, place + 1)

    def _merge(self, runs: Sequence[_Run]) -> _Run:
        if sum(len(run.heads) for run in runs) > _IN_MEMORY:
            try:
                return self._map(self._merged(runs))
            except OSError:  # the disk takes no more
                pass
        return _Run.of(join_rows(list(self._merged(runs))))

    def _merged(self, runs: Sequence[_Run]) -> Iterator[Rows]:
        """Yield the rows of runs in order, some at a time: ids are hashes, so that equal parts hold about as many."""
        pieces = -(-sum(len(run.heads) for run in runs) // _AT_ONCE)
        bounds = np.array([piece * 2**64 // pieces for piece in range(1, pieces)], dtype=np.uint64)
        cuts = [[0, *np.searchsorted(run.heads, bounds).tolist(), len(run.heads)] for run in runs]
        for piece in range(pieces):
            part = join_rows([run.rows[cut[piece] : cut[piece + 1]] for run, cut in zip(runs, cuts, strict=True)])
            part = choose_rows(part, part["until"] >= self._before)
            yield choose_rows(part, np.argsort(part["head"]))
            for run in runs:
                run.release()

    def _map(self, parts: Iterator[Rows]) -> _Run:
        """Write rows to files, and map these."""
        newest = _LEAST
        with tempfile.TemporaryFile(dir=self._folder) as heads, tempfile.TemporaryFile(dir=self._folder) as rows:
            for part in parts:
                newest = max(newest, _newest(part))
                heads.write(np.ascontiguousarray(part["head"]).tobytes())
                rows.write(part.tobytes())
            heads.flush()
            rows.flush()
            if newest == _LEAST:
                return _Run.of(np.zeros(0, dtype=self._columns))
            words, mapped = (mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) for file in (heads, rows))
        return _Run(np.frombuffer(words, dtype="<u8"), np.frombuffer(mapped, dtype=self._columns), newest, mapped)


def _search(among: Words, heads: Words) -> Codes:
    """Return where each head would stand, stretch by stretch: what is searched then lies in the processor's cache."""
    if len(among) <= _STRETCH or len(heads) * _STRETCH < len(among):
        return np.searchsorted(among, heads)
    places = np.empty(len(heads), dtype=np.intp)
    firsts = range(0, len(among), _STRETCH)
    cuts = [0, *np.searchsorted(heads, among[_STRETCH::_STRETCH]).tolist(), len(heads)]
    for first, (begin, end) in zip(firsts, pairwise(cuts), strict=True):
        if begin < end:
            places[begin:end] = first + np.searchsorted(among[first : first + _STRETCH], heads[begin:end])
    return places


def _newest(rows: Rows) -> int:
    return int(rows["until"].max()) if len(rows) else _LEAST
