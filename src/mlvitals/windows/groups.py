"""Sorting a batch's rows into groups: one for each model version, window and segment value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlvitals import wire
from mlvitals.events import canonical_text, column

ALL: Final = ""  # the segment that every row belongs to
OTHER_SEGMENT: Final = "__other__"

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """Rows in the order of their groups: group g holds column[order][bounds[g] : bounds[g + 1]].

    order: row indices, or a slice where they are consecutive, so that a column need not be copied.
    starts: each group's window start. segments: each group's segment, as `column=value`, or "" for all.
    """

    order: Rows | slice
    bounds: npt.NDArray[np.intp]
    starts: list[int]
    segments: list[str]


def group_rows(
    rows: Rows, starts: npt.NDArray[np.int64], segment: tuple[str, npt.NDArray[np.intp], tuple[str, ...]] | None
) -> Grouping:
    """Group rows by window start and, where given, by the codes of one segment column.

    Args:
        rows: indices into the batch.
        starts: the window start of each of these rows, same shape.
        segment: a column's name, each row's code, and the codes' names.

    """
    if not len(rows):
        return Grouping(order=slice(0, 0), bounds=np.zeros(1, dtype=np.intp), starts=[], segments=[])
    known, codes = np.unique(starts, return_inverse=True)
    width = 1 if segment is None else len(segment[2])
    joint = codes.astype(np.int32) * width if segment is None else codes.astype(np.int32) * width + segment[1]
    if (joint == joint[0]).all():
        order, present, bounds = rows, joint[:1], np.array([0, len(rows)], dtype=np.intp)
    else:
        sorting = np.argsort(joint, kind="stable")
        order, ordered = rows[sorting], joint[sorting]
        cuts = np.flatnonzero(np.diff(ordered)) + 1
        bounds = np.concatenate([[0], cuts, [len(rows)]]).astype(np.intp)
        present = ordered[bounds[:-1]]
    return Grouping(
        order=_as_slice(order),
        bounds=bounds,
        starts=[int(known[code // width]) for code in present],
        segments=[ALL if segment is None else f"{segment[0]}={segment[2][code % width]}" for code in present],
    )


def segment_names(columns: Sequence[str], values: Mapping[str, Sequence[str]]) -> list[str]:
    """Return all segments of some columns, by the values that have one of their own, as `column=value`."""
    return [f"{name}={value}" for name in columns for value in (*values.get(name, ()), OTHER_SEGMENT)]


def segment_codes(
    batch: pa.RecordBatch, name: str, values: tuple[str, ...]
) -> tuple[npt.NDArray[np.intp], tuple[str, ...]]:
    """Return each row's code of a segment column (a feature, or a column of the event) and the names of the codes."""
    names = (*values, OTHER_SEGMENT)
    array = column(batch, wire.FEATURE_PREFIX + name)
    if array is None:
        array = column(batch, name)
    if array is None:
        return np.full(batch.num_rows, len(values), dtype=np.intp), names
    return codes_of(canonical_text(array), {value: code for code, value in enumerate(values)}, len(values)), names


def codes_of(texts: pa.Array, known: Mapping[str, int], other: int) -> npt.NDArray[np.intp]:
    """Return the code of each text, `other` for nulls and for texts that are not known."""
    encoded = texts if pa.types.is_dictionary(texts.type) else texts.dictionary_encode()
    table = np.array([known.get(text, other) for text in encoded.dictionary.to_pylist()] + [other], dtype=np.intp)
    indices: Rows = np.asarray(encoded.indices.cast(pa.int64()).fill_null(-1))
    return table[indices]


def _as_slice(order: Rows) -> Rows | slice:
    if len(order) == 0 or order[-1] - order[0] != len(order) - 1 or (np.diff(order) != 1).any():
        return order
    return slice(int(order[0]), int(order[-1]) + 1)
