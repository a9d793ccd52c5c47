"""A bounded look into files: the first rows as records, and the same bytes for a trial of the real reader."""

import csv
import io
import itertools
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from mlvitals.errors import InputError
from mlvitals.sources.compression import open_stream
from mlvitals.sources.file import STANDARD_INPUT
from mlvitals.sources.listing import list_files

MOST_LINES: Final = 10_000
MOST_BYTES: Final = 16 << 20
_LONGEST_LINE: Final = 4 << 20
_PARQUET_MAGIC: Final = b"PAR1"
_BOM: Final = b"\xef\xbb\xbf"
_DELIMITERS: Final = ",;\t|"
_INTEGER: Final = re.compile(r"[+-]?(0|[1-9]\d{0,18})")
_CODE: Final = re.compile(r"[+-]?0\d")
_READABLE_SHARE: Final = 0.5


class FileKind(StrEnum):
    """How a file is written."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """The first rows of a file.

    records: one mapping for each readable row. data: the bytes they were read from, empty for Parquet. unreadable: rows
    that are no record. whole: the file holds no more. delimiter: of CSV.
    """

    path: str
    kind: FileKind
    records: Sequence[Mapping[str, Any]]
    data: bytes = b""
    unreadable: int = 0
    whole: bool = True
    delimiter: str = ","


def take_sample(path: str, *, lines: int = MOST_LINES, size: int = MOST_BYTES) -> Sample:
    """Read the first rows of a file, of either bound whichever comes first.

    Args:
        path: a file, compressed or not; `-` is standard input, read to the bound only.
        lines: at most so many rows.
        size: at most so many decompressed bytes.

    Raises:
        InputError: it cannot be opened, is empty, or is neither JSON Lines, CSV nor Parquet.

    """
    if path == STANDARD_INPUT:
        return _of_text(path, *_head(sys.stdin.buffer, lines, size))
    try:
        with Path(path).open("rb") as file:
            if file.read(len(_PARQUET_MAGIC)) == _PARQUET_MAGIC:
                return _of_parquet(path, file, lines)
            file.seek(0)
            stream, compressed = open_stream(file, Path(path))
            head, whole = _head(stream, lines, size)
            if compressed is not None and compressed.fault is not None:
                raise InputError(f"{path}: {compressed.fault}")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    return _of_text(path, head, whole)


def take_samples(patterns: Sequence[str]) -> list[Sample]:
    """Return a sample of every file that paths, globs and folders name.

    Raises:
        InputError: nothing is there, or a file cannot be sampled.

    """
    paths: list[str] = []
    for pattern in dict.fromkeys(patterns):
        found = [pattern] if pattern == STANDARD_INPUT else [str(one.path) for one in list_files([pattern])]
        if not found:
            raise InputError(f"{pattern}: no file matches")
        paths += found
    return [take_sample(path) for path in dict.fromkeys(paths)]


def parse_record(line: bytes) -> Any:
    """Return what a line of JSON says.

    Raises:
        ValueError: it is not JSON.

    """
    try:
        return msgspec.json.decode(line)
    except msgspec.DecodeError:
        return json.loads(line)  # NaN and Infinity, as other programs write them


def _head(stream: BinaryIO, lines: int, size: int) -> tuple[list[bytes], bool]:
    taken: list[bytes] = []
    read = 0
    while len(taken) < lines and read < size:
        line = stream.readline(_LONGEST_LINE)
        if not line:
            return taken, True
        read += len(line)
        taken.append(line)
    return taken, not stream.readline(1)


def _of_text(path: str, lines: list[bytes], whole: bool) -> Sample:  # noqa: FBT001  # a pair taken apart
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise InputError(f"{_named(path)}: empty, so that nothing can be told")
    if b"\0" in lines[0]:
        raise InputError(f"{_named(path)}: neither text nor Parquet")
    lines[0] = lines[0].removeprefix(_BOM)
    suffixes = Path(path).suffixes
    if ".csv" in suffixes or ".tsv" in suffixes or not lines[0].lstrip().startswith((b"{", b"[")):
        return _of_csv(path, lines, whole=whole)
    return _of_json(path, lines, whole=whole)


def _of_json(path: str, lines: list[bytes], *, whole: bool) -> Sample:
    records, kept = [], []
    for line in lines:
        try:
            record = parse_record(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            records.append(record)
            kept.append(line)
    if len(records) < _READABLE_SHARE * len(lines):
        raise InputError(
            f"{_named(path)}: {len(lines) - len(records)} of the first {len(lines)} lines are no JSON object: "
            "one object on each line is read, not one document over many lines"
        )
    return Sample(
        path=path,
        kind=FileKind.JSON,
        records=records,
        data=b"".join(kept),
        unreadable=len(lines) - len(records),
        whole=whole,
    )


def _of_csv(path: str, lines: list[bytes], *, whole: bool) -> Sample:
    data = b"".join(lines)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{_named(path)}: neither JSON Lines, Parquet nor CSV in UTF-8") from error
    header = text.splitlines()[0]
    delimiter = max(_DELIMITERS, key=header.count)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    names = rows[0]
    if len(names) < 2 or len(set(names)) < len(names):
        raise InputError(f"{_named(path)}: neither JSON Lines nor Parquet, and its first line is no header of CSV")
    full = [row for row in rows[1:] if len(row) == len(names)]
    if not whole and full:
        full.pop()  # it may have been cut
    columns = [_typed([row[index] for row in full]) for index in range(len(names))]
    return Sample(
        path=path,
        kind=FileKind.CSV,
        records=[dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)],
        data=data,
        unreadable=len(rows) - 1 - len(full),
        whole=whole,
        delimiter=delimiter,
    )


def _typed(cells: list[str]) -> list[Any]:
    """Return a column's cells as numbers if all of them are numerals, as text if not; None where empty."""
    filled = [cell for cell in cells if cell]
    if any(_CODE.match(cell) for cell in filled):
        return [cell or None for cell in cells]
    if all(map(_INTEGER.fullmatch, filled)):
        return [int(cell) if cell else None for cell in cells]
    try:
        return [float(cell) if cell else None for cell in cells]
    except ValueError:
        return [cell or None for cell in cells]


def _of_parquet(path: str, file: BinaryIO, rows: int) -> Sample:
    try:
        opened = pq.ParquetFile(file, pre_buffer=False)
        batches = itertools.takewhile(lambda batch: batch.num_rows, opened.iter_batches(min(rows, MOST_LINES)))
        batch = next(batches, None)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: cannot be read as Parquet: {error}") from error
    if batch is None:
        raise InputError(f"{path}: empty, so that nothing can be told")
    return Sample(
        path=path,
        kind=FileKind.PARQUET,
        records=batch.to_pylist(),
        whole=opened.metadata.num_rows == batch.num_rows,
    )


def _named(path: str) -> str:
    return "standard input" if path == STANDARD_INPUT else path
