"""Reading a sample as the configuration would: the proof of what was inferred, and the events it is profiled by."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import numpy as np
import pyarrow as pa

from mlvitals import wire
from mlvitals.clock import SECOND
from mlvitals.errors import InputError
from mlvitals.events import EventBatch, RawBatch, ReadAccount
from mlvitals.formats import DecodePlan, FormatConfig
from mlvitals.setup.inference.columns import Column
from mlvitals.setup.inference.describe import Mapped
from mlvitals.setup.inference.sample import MOST_LINES, FileKind, Sample

_PER_SECOND: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


@dataclass(frozen=True, slots=True)
class Events:
    """What a sample was read as, batch by batch."""

    predictions: Sequence[pa.RecordBatch]
    labels: Sequence[pa.RecordBatch]
    account: ReadAccount

    @property
    def count(self) -> int:
        """The number of predictions and labels."""
        return sum(batch.num_rows for batch in (*self.predictions, *self.labels))


def make_format(kind: FileKind | str, keys: Mapping[str, Any]) -> FormatConfig:
    """Return the format that a document describes.

    Raises:
        InputError: it is none: the inference is at fault.

    """
    try:
        made: FormatConfig = msgspec.convert({"type": str(kind), **keys}, FormatConfig)
    except msgspec.ValidationError as error:
        raise InputError(f"no mapping was found that can be read: {error}") from error
    return made


def read_events(samples: Sequence[Sample], made: FormatConfig, model: str, *, ids: bool = True) -> Events:
    """Read the bytes of samples as events.

    Args:
        samples: of files in one format.
        made: that format.
        model: the name where they give none.
        ids: predictions have ids; without them there are no labels.

    Raises:
        InputError: a file is not of this format at all.

    """
    opened = made.open(DecodePlan(model=model, ids=ids))
    batches: list[EventBatch] = []
    for sample in samples:
        with _stream(sample) as stream:
            rows = 0
            for cut in opened.cut(stream, Path(sample.path), 0, complete=True):
                data = cut.data if isinstance(cut.data, bytes) else cut.data.slice(0, MOST_LINES - rows)
                raw = RawBatch(data=data, place=sample.path, position=b"", header=cut.header, first_line=cut.first_line)
                batches.append(opened.decode(raw))
                rows += 0 if isinstance(data, bytes) else data.num_rows
                if rows >= MOST_LINES:
                    break
    account = ReadAccount(rows=0, parsed=0)
    for batch in batches:
        account += batch.account
    return Events([batch.predictions for batch in batches], [batch.labels for batch in batches], account)


def join_events(mapped: Mapped, model: str) -> pa.RecordBatch:
    """Return requests and responses of a sample as the predictions that they will be joined to."""
    columns = {name: _array(column) for name, column in mapped.chosen.items()}
    columns |= {wire.FEATURE_PREFIX + name: _array(column) for name, column in mapped.features.items()}
    time = mapped.chosen[wire.TIMESTAMP]
    columns[wire.TIMESTAMP] = _times(time, mapped.format.get("units", {}).get(wire.TIMESTAMP))
    columns.setdefault(wire.MODEL, pa.array([model] * len(time.values)))
    return pa.RecordBatch.from_pydict(columns)


def _times(column: Column, unit: str | None) -> pa.Array:
    if unit is None:
        times = column.times
        return pa.nulls(len(column.values), pa.timestamp("us", tz="UTC")) if times is None else times.values
    factor = SECOND / _PER_SECOND[unit]
    values = [None if value is None else round(float(value) * factor) for value in column.values]
    return pa.array(values, pa.int64()).cast(pa.timestamp("us", tz="UTC"))


def _array(column: Column) -> pa.Array:
    if column.numbers is not None and not column.is_text:
        kind = pa.int64() if column.is_whole and np.abs(column.numbers).max() < 2**62 else pa.float64()
        return pa.array(list(column.values), kind)
    if column.is_boolean:
        return pa.array(list(column.values), pa.bool_())
    return pa.array([None if value is None else str(value) for value in column.values], pa.string())


@contextmanager
def _stream(sample: Sample) -> Iterator[BinaryIO]:
    if sample.kind is FileKind.PARQUET:
        with Path(sample.path).open("rb") as file:
            yield file
    else:
        yield io.BytesIO(sample.data)
