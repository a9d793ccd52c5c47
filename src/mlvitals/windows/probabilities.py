"""Probabilities of classes: what they say where no class or score is logged, and how they wait for their label.

A row's probabilities are remembered as IEEE single precision, each within one part in 2²⁴: fixed-point units would lose
the small ones, whose logarithm is the loss. Beside them stands the sum of all squares, so that the Brier score misses
no class, be it in the layout or not. All sums run by the classes' names, so that they do not depend on the batch.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlvitals import wire
from mlvitals.events import canonical_text, column, numbers
from mlvitals.events.names import levels_of
from mlvitals.hashing import content_hash
from mlvitals.windows.layout import OutputLayout, Task

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

# What rounding each probability to two decimals can take from a sum of 1, and the most that is put down to rounding.
_ROUNDING: Final = 0.005
_MOST_ROUNDING: Final = 0.05
_ROWS_AT_ONCE: Final = 4096
_KEY_BYTES: Final = 8
_NO_DISTRIBUTION: Final = b""


class Vectors(NamedTuple):
    """Remembered probabilities, read again.

    usable: where there are any, of the classes asked for. improper: where they are no distribution.
    chances: of the class asked for, squares: Σ p² over all classes; both of the usable rows only.
    """

    usable: npt.NDArray[np.bool_]
    improper: npt.NDArray[np.bool_]
    chances: Floats
    squares: Floats


def class_columns(batch: pa.RecordBatch) -> list[tuple[str, str]]:
    """Return the classes that a batch has probabilities of, in their canonical spelling, with the columns' names."""
    names = sorted(name for name in batch.schema.names if name.startswith(wire.PROBABILITY_PREFIX))
    if not names:
        return []
    spelled = [".".join(levels_of(name.removeprefix(wire.PROBABILITY_PREFIX))) for name in names]
    return sorted(zip(canonical_text(pa.array(spelled), numerals=True).to_pylist(), names, strict=True))


def complete_outputs(batch: pa.RecordBatch, output: OutputLayout) -> pa.RecordBatch:
    """Return a batch with what its probabilities say where no score or class is logged.

    In a binary task the score is the positive class's probability, and the threshold does the rest. In many classes the
    predicted one is that of the largest probability, of equal ones the first in the layout's order, then by name; the
    score is this largest probability.
    """
    classes = class_columns(batch) if output.distribution else []
    if not classes:
        return batch
    if output.task is Task.BINARY:
        found = [numbers(batch.column(name)).values for one, name in classes if one == output.positive]
        return _fill(batch, wire.PREDICTION_SCORE, _floats(_coalesce(found))) if found else batch
    if all(_is_logged(batch, name) for name in (wire.PREDICTION_LABEL, wire.PREDICTION_SCORE)):
        return batch
    order = () if output.classes is None else output.classes.values
    labels, largest = predict(batch, order)
    return _fill(_fill(batch, wire.PREDICTION_LABEL, labels), wire.PREDICTION_SCORE, _floats(largest))


def predict(batch: pa.RecordBatch, order: Sequence[str] = ()) -> tuple[pa.Array, Floats]:
    """Return each row's class of the largest probability, and this; null and NaN where it has none."""
    places = {name: place for place, name in enumerate(order)}
    classes = sorted(class_columns(batch), key=lambda one: (places.get(one[0], len(places)), one))
    codes = np.full(batch.num_rows, -1, dtype=np.int32)
    largest = np.full(batch.num_rows, -np.inf)
    for code, (_, name) in enumerate(classes):
        values = numbers(batch.column(name)).values
        better = values > largest
        largest[better], codes[better] = values[better], code
    names = pa.array([one for one, _ in classes], pa.string())
    return names.take(pa.array(codes, mask=codes < 0)), np.where(codes < 0, np.nan, largest)


def pack_probabilities(batch: pa.RecordBatch, output: OutputLayout, rows: Rows) -> Sequence[bytes | None]:
    """Return what is remembered of rows' probabilities; None where there are none, or nothing is made of them.

    That is a key of the layout's classes, Σ p² over all classes as a double, and each of the layout's classes' p in
    single precision. Probabilities are no distribution, and remembered as such, where one is outside [0, 1] or their
    sum is further from 1 than two decimals can round it: by more than 0.005 for each class logged, at most 0.05. A
    class that is not among them has probability 0.
    """
    classes = class_columns(batch) if output.distribution and output.task is Task.MULTICLASS else []
    if not classes or output.classes is None:
        return [None] * len(rows)
    places = {name: place for place, name in enumerate(output.classes.values)}
    packed: list[bytes | None] = []
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        part = batch.take(pa.array(rows[first : first + _ROWS_AT_ONCE]))
        packed += _pack(part, classes, places, _key(output))
    return packed


def unpack_probabilities(packed: Sequence[bytes | None], output: OutputLayout, classes: Rows) -> Vectors:
    """Return what was remembered, for the class that each row asks for: a place in the layout's order."""
    key, size = _key(output), _KEY_BYTES + 8 + 4 * (0 if output.classes is None else len(output.classes.values))
    usable = np.array([one is not None and one[:_KEY_BYTES] == key for one in packed], dtype=bool)
    improper = np.array([one == _NO_DISTRIBUTION for one in packed], dtype=bool)
    data = b"".join(one for one in packed if one is not None and one[:_KEY_BYTES] == key)
    cells = np.frombuffer(data, dtype=np.uint8).reshape(-1, size)
    squares = np.ascontiguousarray(cells[:, _KEY_BYTES : _KEY_BYTES + 8]).view("<f8")[:, 0]
    chances = np.ascontiguousarray(cells[:, _KEY_BYTES + 8 :]).view("<f4")[np.arange(len(cells)), classes[usable]]
    return Vectors(usable, improper, chances.astype(np.float64), squares.astype(np.float64))


def _pack(
    batch: pa.RecordBatch, classes: Sequence[tuple[str, str]], places: dict[str, int], key: bytes
) -> list[bytes | None]:
    chances = np.zeros((batch.num_rows, len(places)), dtype="<f4")
    total, squares, logged = np.zeros(batch.num_rows), np.zeros(batch.num_rows), np.zeros(batch.num_rows)
    proper = np.ones(batch.num_rows, dtype=bool)
    for one in dict.fromkeys(name for name, _ in classes):
        values = _coalesce([numbers(batch.column(name)).values for other, name in classes if other == one])
        there = ~np.isnan(values)
        logged += there
        values = np.where(there, values, 0.0)
        inside = (values >= 0) & (values <= 1)
        proper &= inside
        single = np.where(inside, values, 0.0).astype("<f4")
        total += np.where(inside, values, 0.0)
        squares += single.astype(np.float64) ** 2
        if one in places:
            chances[:, places[one]] = single
    proper &= np.abs(total - 1) <= np.minimum(_ROUNDING * logged, _MOST_ROUNDING) + 1e-9
    heads = squares.astype("<f8")
    return [
        (key + head.tobytes() + row.tobytes() if good else _NO_DISTRIBUTION) if held else None
        for head, row, good, held in zip(heads, chances, proper.tolist(), (logged > 0).tolist(), strict=True)
    ]


def _key(output: OutputLayout) -> bytes:
    """Return a key of the classes' order, by which what another layout wrote is not mistaken."""
    names = () if output.classes is None else output.classes.values
    return bytes.fromhex(content_hash(*(name.encode("utf-8", "surrogatepass") for name in names)))[:_KEY_BYTES]


def _coalesce(found: Sequence[Floats]) -> Floats:
    """Return the first number of each row: 1 and 1.0 are one class, and a row may call it by either name."""
    values = found[0]
    for other in found[1:]:
        values = np.where(np.isnan(values), other, values)
    return values


def _floats(values: Floats) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def _is_logged(batch: pa.RecordBatch, name: str) -> bool:
    logged = column(batch, name)
    return logged is not None and not logged.null_count


def _fill(batch: pa.RecordBatch, name: str, array: pa.Array) -> pa.RecordBatch:
    """Return a batch with a column whose nulls are filled."""
    if _is_logged(batch, name):
        return batch
    logged = column(batch, name)
    if logged is not None:
        if pa.types.is_string(array.type):
            logged = canonical_text(logged, numerals=True).cast(pa.string())
        array = pc.coalesce(logged, array)
    place = batch.schema.get_field_index(name)
    return batch.append_column(name, array) if place < 0 else batch.set_column(place, name, array)
