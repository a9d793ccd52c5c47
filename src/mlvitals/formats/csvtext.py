"""Cells of comma-separated values: texts that hold lines of them, and what type a feature's cells have."""

from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from mlvitals.formats.base import DecodePlan, Want

_CODE: Final = r"^[+-]?0\d"


def type_feature(name: str, text: pa.Array, plan: DecodePlan) -> pa.Array:
    """Return a feature's cells as numbers where the plan, or without one all cells, say so; `007` is text."""
    if plan.features is None:
        if text.null_count == len(text) or pc.any(pc.match_substring_regex(text, _CODE)).as_py():
            return text
        kinds = [pa.int64(), pa.float64()]
    else:
        kinds = [pa.float64()] if plan.features.get(name) is Want.NUMBER else []
    for kind in kinds:
        try:
            return text.cast(kind)
        except pa.ArrowInvalid:
            continue
    return text


def read_csv_text(texts: Sequence[str], names: Sequence[str]) -> pa.StructArray | None:
    """Read the lines of some texts, one after the other, as text cells; an empty cell is null.

    Returns:
        A struct for each line, or None where a line has not as many cells as there are names, or quotes do not close.

    """
    data = "".join(text.rstrip("\r\n") + "\n" for text in texts).encode()
    try:
        table = pyarrow.csv.read_csv(
            pa.BufferReader(data),
            read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=list(names)),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=b'"' in data, ignore_empty_lines=False),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
            ),
        )
    except pa.ArrowException:
        return None
    return pa.StructArray.from_arrays([column.combine_chunks() for column in table.columns], list(names))
