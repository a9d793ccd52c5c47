"""Mapped documents as columns: texts opened, arrays unfolded to rows, all at once; None where that cannot be."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlvitals.formats.csvtext import read_csv_text
from mlvitals.formats.fieldmap import FieldMap
from mlvitals.formats.jsonblocks import BlockReader
from mlvitals.formats.paths import ANY, Path, position_of
from mlvitals.formats.rows import Mask, valid

_JSON_START: Final = r"^[ \t\r\n]*[\[{]"

Places = npt.NDArray[np.int64]


class SlowError(Exception):
    """These documents have to be read one by one."""


class Unfolded:
    """Documents as one struct column, of which every path gives a column.

    `select` leaves lines out, `open_json` and `open_rows` open what the mapping says. Then `column` has `count` rows;
    `parents` tells each row's line. All of them raise `SlowError` where documents differ in more than their values.
    """

    def __init__(self, root: pa.StructArray, fields: FieldMap) -> None:
        self._fields = fields
        self._opened: dict[Path, pa.Array] = {(): root}
        self._by_row: dict[Path, pa.Array] = {}
        self.lines: Places = np.arange(len(root))
        self.parents: Places = self.lines
        self.count = len(root)

    def select(self, mask: Mask) -> None:
        """Keep only some lines."""
        if not mask.all():
            chosen = pa.array(mask)
            self._opened = {path: array.filter(chosen) for path, array in self._opened.items()}
            self.lines = self.lines[mask]
            self.count = len(self.lines)
            self.parents = np.arange(self.count)

    def line_column(self, path: Path) -> pa.Array | None:
        """Return what stands at a path, for each line; None where it stands in none."""
        place = next(length for length in range(len(path), -1, -1) if path[:length] in self._opened)
        return _walk(self._opened[path[:place]], path[place:])

    def column(self, path: Path) -> pa.Array | None:
        """Return what stands at a path, for each row; None where it stands in none."""
        for length in range(len(path), -1, -1):
            if path[:length] in self._by_row:
                return _walk(self._by_row[path[:length]], path[length:])
        array = self.line_column(path)
        if array is None or self.count == len(self.lines):
            return array
        return array.take(pa.array(self.parents))

    def open_json(self, readers: Mapping[Path, BlockReader], values: Sequence[Path]) -> None:
        """Open the texts that hold JSON. `values` are paths of values: a text that is one must stay as it is."""
        for path in self._fields.json:
            array = self.line_column(path)
            if array is None:
                continue
            if pa.types.is_list(array.type) and pa.types.is_string(array.type.value_type):
                inner = self._parse(array.values, path, readers, values)
                opened = pa.ListArray.from_arrays(
                    array.offsets, inner, mask=array.is_null() if array.null_count else None
                )
            elif pa.types.is_string(array.type):
                opened = self._parse(array, path, readers, values)
            else:
                raise SlowError
            self._opened[path] = opened

    def open_rows(self) -> int:
        """Unfold the arrays that hold rows; return how many lines hold none."""
        for path, name in self._fields.keyed:
            array = self.line_column(path)
            if array is not None:
                self._opened[path] = _key(array, name)
        unfolding = [
            (path, unfolded)
            for pattern in self._fields.rows
            for path in self._expand(pattern)
            if (unfolded := self._elements(path, self._fields.names_at(path))) is not None
        ]
        empty = self._align([unfolded for _, unfolded in unfolding])
        for path, (values, lengths) in unfolding:
            self._by_row[path] = self._spread(values, lengths)
        for pattern, of_positions in self._fields.names:
            for path in self._expand(pattern):
                self._name(path, of_positions)
        return empty

    def _parse(
        self, texts: pa.Array, path: Path, readers: Mapping[Path, BlockReader], values: Sequence[Path]
    ) -> pa.Array:
        is_json = np.asarray(pc.match_substring_regex(texts, _JSON_START).fill_null(False))  # noqa: FBT003  # Arrow's
        if path in values and (valid(texts) & ~is_json).any():
            raise SlowError
        parsed = readers[path].read_texts(texts.filter(pa.array(is_json)))
        if parsed is None:
            raise SlowError
        return parsed if is_json.all() else _scatter(parsed, is_json)

    def _expand(self, pattern: Path) -> list[Path]:
        """Return the paths that a path with `*` stands for."""
        if ANY not in pattern:
            return [pattern]
        place = pattern.index(ANY)
        parent = self.column(pattern[:place])
        if parent is None or not pa.types.is_struct(parent.type):
            return []
        expanded = [(*pattern[:place], field.name, *pattern[place + 1 :]) for field in parent.type]
        return [path for one in expanded for path in self._expand(one)]

    def _elements(self, path: Path, names: Sequence[str]) -> tuple[pa.Array, Places] | None:
        """Return an array's elements one after the other, and how many each line has, -1 where it has no array."""
        array = self.line_column(path)
        if array is None:
            return None
        columns = dict(self._fields.csv).get(path)
        if columns is not None:
            return _lines_of(array, columns)
        if pa.types.is_struct(array.type):
            raise SlowError
        if not pa.types.is_list(array.type):
            return array.drop_null(), np.where(valid(array), 1, -1)
        lengths = np.asarray(pc.list_value_length(array).fill_null(-1), dtype=np.int64)
        values = array.flatten()
        if names and not pa.types.is_nested(array.type.value_type):
            return _chunk(values, lengths, len(names))
        return values, lengths

    def _align(self, unfolded: Sequence[tuple[pa.Array, Places]]) -> int:
        """Find out how many rows each line has; return the number of lines that have none."""
        lengths = np.full(len(self.lines), -1, dtype=np.int64)
        for _, mine in unfolded:
            if ((lengths >= 0) & (mine >= 0) & (lengths != mine)).any():
                raise SlowError
            lengths = np.maximum(lengths, mine)
        counts = np.where(lengths < 0, 1, lengths)
        self.parents = np.repeat(np.arange(len(self.lines)), counts)
        self._counts = counts
        self.count = len(self.parents)
        return int((counts == 0).sum())

    def _spread(self, values: pa.Array, lengths: Places) -> pa.Array:
        """Return elements with nulls where a line has rows, but not in this array."""
        there = np.repeat(lengths >= 0, self._counts)
        return values if there.all() else _scatter(values, there)

    def positions(self) -> tuple[Places, Mask]:
        """Return each row's place in its line, and where its line has more than one row."""
        firsts = np.repeat(np.cumsum(self._counts) - self._counts, self._counts)
        return np.arange(self.count) - firsts, np.repeat(self._counts > 1, self._counts)

    def _name(self, path: Path, names: Sequence[str]) -> None:
        by_row = self._fields.is_by_row(path)
        array = self.column(path) if by_row else self.line_column(path)
        if array is None or not pa.types.is_nested(array.type):
            return
        if not pa.types.is_list(array.type):
            raise SlowError
        there = valid(array)
        lengths = np.asarray(pc.list_value_length(array).fill_null(len(names)))
        if (lengths != len(names)).any():
            raise SlowError
        starts = np.cumsum(there * len(names)) - len(names)
        values = array.flatten()
        columns = [values.take(pa.array(starts + place, mask=~there)) for place in range(len(names))]
        named = pa.StructArray.from_arrays(columns, names=list(names), mask=pa.array(~there))
        (self._by_row if by_row else self._opened)[path] = named


def _walk(array: pa.Array, path: Path) -> pa.Array | None:
    for step in path:
        if pa.types.is_struct(array.type):
            index = array.type.get_field_index(step)
            if index < 0:
                return None
            array = pc.struct_field(array, [index])
        elif pa.types.is_list(array.type) and position_of(step) is not None:
            array = _at(array, int(step or 0))
        else:
            return None
    return None if pa.types.is_null(array.type) else array


def _at(array: pa.ListArray, position: int) -> pa.Array:
    lengths = np.asarray(pc.list_value_length(array).fill_null(0), dtype=np.int64)
    starts = np.cumsum(lengths) - lengths
    there = (lengths > position) if position >= 0 else (lengths >= -position)
    places = starts + (position if position >= 0 else lengths + position)
    return array.flatten().take(pa.array(places, mask=~there))


def _scatter(values: pa.Array, mask: Mask) -> pa.Array:
    """Return values at the places of a mask, and nulls between them."""
    return values.take(pa.array(np.cumsum(mask) - 1, mask=~mask))


def _key(array: pa.Array, name: str) -> pa.Array:
    """Return an array of objects as one object, where every line has the same names in the same order."""
    if not pa.types.is_list(array.type) or not pa.types.is_struct(array.type.value_type):
        raise SlowError
    there = valid(array)
    lengths = np.asarray(pc.list_value_length(array).fill_null(0), dtype=np.int64)
    values = array.flatten()
    most = int(lengths.max(initial=0))
    keys: Any = _walk(values, (name,))
    if (
        not most
        or keys is None
        or not pa.types.is_string(keys.type)
        or keys.null_count
        or (lengths[there] != most).any()
    ):
        raise SlowError
    first = keys[:most].to_pylist()
    codes = np.asarray(pc.index_in(keys, value_set=pa.array(first, pa.string())).fill_null(-1))
    if len(set(first)) < most or (codes.reshape(-1, most) != np.arange(most)).any():
        raise SlowError
    starts = np.cumsum(lengths) - lengths
    columns = [values.take(pa.array(starts + place, mask=~there)) for place in range(most)]
    return pa.StructArray.from_arrays(columns, names=first, mask=pa.array(~there))


def _lines_of(array: pa.Array, names: Sequence[str]) -> tuple[pa.Array, Places]:
    if not pa.types.is_string(array.type):
        raise SlowError
    texts = array.drop_null().to_pylist()
    counts = [text.rstrip("\r\n").count("\n") + 1 for text in texts]
    rows = read_csv_text(texts, names) if texts else pa.nulls(0)
    if rows is None or len(rows) != sum(counts):
        raise SlowError
    lengths = np.full(len(array), -1, dtype=np.int64)
    lengths[valid(array)] = counts
    return rows, lengths


def _chunk(values: pa.Array, lengths: Places, width: int) -> tuple[pa.Array, Places]:
    """Cut arrays of plain values into rows of as many as there are names."""
    there = lengths >= 0
    if (lengths[there] % width).any():
        raise SlowError
    rows = np.where(there, lengths // width, -1)
    offsets = np.arange(0, len(values) + 1, width, dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values), rows
