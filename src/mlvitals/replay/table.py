"""Parquet: the time columns are shifted, every other column stays as it was."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mlvitals import wire
from mlvitals.errors import InputError
from mlvitals.replay.lines import FEATURE_TIMES, MOMENTS
from mlvitals.replay.shift import Shift

SUFFIX: Final = ".parquet"


def earliest(path: Path) -> int | None:
    """Return the least time of a file's events in microseconds since the epoch, None where it holds none."""
    with _opened(path) as file:
        names = [
            field.name for field in file.schema_arrow if field.name in MOMENTS and pa.types.is_timestamp(field.type)
        ]
        least = [pc.min(_integers(column)).as_py() for batch in file.iter_batches(columns=names) for column in batch]
    return min((moment for moment in least if moment is not None), default=None)


def shift_table(path: Path, target: Path, shift: Shift) -> tuple[int, int]:
    """Write a file with its time columns shifted; they have microseconds afterwards and keep their zone.

    Returns:
        The number of rows with a time, and of those without one, which stay as they are.

    Raises:
        InputError: the file is not Parquet, or a time column is not of a timestamp type.

    """
    events = rows = 0
    with _opened(path) as file:
        timed = [field.name for field in file.schema_arrow if _is_time(field, path)]
        schema = file.schema_arrow
        for name in timed:
            index = schema.get_field_index(name)
            field = schema.field(index)
            schema = schema.set(index, field.with_type(pa.timestamp("us", tz=field.type.tz)))
        with pq.ParquetWriter(target, schema) as writer:
            for batch in file.iter_batches():
                columns = [
                    _shift(column, field.type, shift) if field.name in timed else column
                    for field, column in zip(schema, batch.columns, strict=True)
                ]
                writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
                rows += len(batch)
                if wire.TIMESTAMP in timed:
                    events += len(batch) - batch.column(wire.TIMESTAMP).null_count
    return events, rows - events


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (OSError, pa.ArrowInvalid) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "not a Parquet file"
        raise InputError(f"{path}: {reason}") from error


def _is_time(field: pa.Field, path: Path) -> bool:
    if field.name not in MOMENTS and not field.name.startswith(f"{FEATURE_TIMES}."):
        return False
    if not pa.types.is_timestamp(field.type):
        raise InputError(f"{path}: the column `{field.name}` is {field.type}: only timestamps can be shifted")
    return True


def _integers(column: pa.Array) -> pa.Array:
    return column.cast(pa.timestamp("us", tz=column.type.tz), safe=False).view(pa.int64())


def _shift(column: pa.Array, kind: pa.DataType, shift: Shift) -> pa.Array:
    integers = _integers(column)
    missing = np.asarray(integers.is_null())
    shifted = shift.times(np.asarray(integers.fill_null(shift.origin)))
    return pa.array(shifted, type=pa.int64(), mask=missing).view(kind)
