"""Reading many JSON documents at once, as far as a mapping looks at them."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from mlvitals.formats.jsonlines import ODD_NUMERALS, is_text, whole_lines
from mlvitals.formats.jsonrows import DEEPEST_JSON, BadRowError, check_depth
from mlvitals.formats.trees import ITEM, Tree, Wanted

# Arrow's columns are dense: past this many cells a block is read in smaller pieces.
_MOST_CELLS: Final = 1 << 25
_WRAP: Final = "v"
_LINE_FEED: Final = ord("\n")
_BRACKET: Final = ord("[")
_CASE: Final = 0xDF  # takes the bit away in which `{` differs from `[`


class BlockReader:
    """Reads documents of one kind: lines, or (`texts`) the texts of one field.

    Every place that the mapping looks at is in an explicit schema; what else there is is passed over, unless a wildcard
    may take it. The reader returns None for anything that is not as it knows it, and `learn` tells it more.
    """

    def __init__(self, wanted: Wanted, *, open_names: bool, texts: bool = False) -> None:
        if texts:
            wanted.fields.setdefault(ITEM, Wanted())
            wanted = Wanted(fields={_WRAP: wanted})
        self._texts = texts
        self._tree = Tree(wanted, open_names=open_names)
        self._schema = self._tree.schema()

    def learn(self, documents: Iterable[Any]) -> bool:
        """Take in the types of some documents; return whether that changed anything."""
        closed = self._tree.closed
        self._tree.learn({_WRAP: document} for document in documents) if self._texts else self._tree.learn(documents)
        schema = self._tree.schema()
        changed = closed != self._tree.closed or not schema.equals(self._schema)
        self._schema = schema
        return changed

    def read(self, data: bytes) -> pa.StructArray | None:
        """Read lines, one object on each."""
        count = whole_lines(data)
        if not count or count * self._tree.count > _MOST_CELLS or not self._is_safe(data):
            return None
        try:
            table = pyarrow.json.read_json(
                pa.BufferReader(data),
                read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(data) + 1),
                parse_options=pyarrow.json.ParseOptions(
                    explicit_schema=self._schema,
                    newlines_in_values=False,
                    unexpected_field_behavior="ignore" if self._tree.closed else "error",
                ),
            )
        except pa.ArrowException:
            return None
        if table.num_rows != count or not table.num_columns:
            return None
        arrays = [column.chunk(0) if column.num_chunks == 1 else column.combine_chunks() for column in table.columns]
        return pa.StructArray.from_arrays(arrays, fields=list(table.schema))

    def _is_safe(self, data: bytes) -> bool:
        """Tell whether Arrow's reader sees every fault in this that ours does."""
        if not is_text(data) or ((b"Inf" in data or b"-NaN" in data) and ODD_NUMERALS.search(data)):
            return False
        return not self._tree.closed or _is_shallow(data)

    def read_texts(self, texts: pa.Array) -> pa.Array | None:
        """Read a column of texts without nulls, each an object or an array; None also where a line break is inside."""
        if not len(texts):
            return pa.nulls(0)
        lines = pc.binary_join_element_wise(f'{{"{_WRAP}":', texts, "}", "", null_handling="skip")
        data = "\n".join(lines.to_pylist()).encode() + b"\n"
        read = self.read(data) if data.count(b"\n") == len(texts) and b"\r" not in data else None
        return None if read is None else read.field(0)


def _is_shallow(data: bytes) -> bool:
    """Tell whether no line nests too deeply; what is passed over is not checked by anything else."""
    characters = np.frombuffer(data, dtype=np.uint8)
    openings = np.flatnonzero((characters & _CASE) == _BRACKET)
    if len(openings) <= DEEPEST_JSON:
        return True
    ends = np.flatnonzero(characters == _LINE_FEED)
    before = np.concatenate(([0], np.searchsorted(openings, ends), [len(openings)]))
    starts = np.concatenate(([0], ends + 1, [len(data)]))
    return all(
        _passes(data[starts[line] : starts[line + 1]]) for line in np.flatnonzero(np.diff(before) > DEEPEST_JSON)
    )


def _passes(line: bytes) -> bool:
    try:
        check_depth(line)
    except BadRowError:
        return False
    return True


def join_lines(lines: Sequence[bytes]) -> bytes:
    """Return lines as one block."""
    return b"\n".join(lines) + b"\n"
