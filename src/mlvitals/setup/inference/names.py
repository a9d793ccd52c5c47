"""Names for features that a log knows by position only."""

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mlvitals.errors import InputError


def read_names(path: Path) -> list[str]:
    """Return the column names of a Parquet file or of a CSV header, in order.

    Raises:
        InputError: the file cannot be read.

    """
    try:
        if path.suffix == ".parquet":
            return list(pq.read_schema(path).names)
        with path.open(encoding="utf-8-sig", newline="") as file:
            return next(csv.reader(file), [])
    except (OSError, UnicodeDecodeError, pa.ArrowException) as error:
        raise InputError(f"{path}: its column names cannot be read: {error}") from error
