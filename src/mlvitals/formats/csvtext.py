"""Texts that hold lines of comma-separated values, without a header."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.csv


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
