"""The three tables of an event batch, cut out of checked rows."""

from collections.abc import Mapping
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from mlvitals import wire
from mlvitals.events import TIME_TYPE
from mlvitals.formats.base import DecodePlan
from mlvitals.formats.fields import Fields
from mlvitals.formats.rows import PREDICTION_NUMBERS, Mask

_PREDICTION_FIELDS: Final = (wire.MODEL_VERSION, wire.ERROR, wire.PREDICTION_LABEL, *PREDICTION_NUMBERS)


def prediction_table(fields: Fields, mask: Mask, plan: DecodePlan) -> pa.RecordBatch:
    """Return the predictions where `mask`: times, models, every column that holds anything, and every feature.

    A feature without a value is one that the input knows: it may come alive.
    """
    columns = {wire.TIMESTAMP: fields.time.values, wire.MODEL: fields.model}
    names = [wire.PREDICTION_ID] if plan.ids else []
    names += (*_PREDICTION_FIELDS, *fields.probabilities)
    names += [name for name in fields.columns if name.startswith(wire.FEATURE_PREFIX)]
    names += [wire.PREDICTION_RANKING] if plan.rankings else []
    if plan.labels and not plan.ids:
        columns[wire.LABEL_TIMESTAMP] = fields.label_time.values
        names.append(wire.LABEL)
    for name in names:
        array = fields.columns[name] if name.startswith(wire.FEATURE_PREFIX) else fields.get(name)
        if array is not None:
            columns[name] = array
    return _cut(columns, mask, required=(wire.TIMESTAMP, wire.MODEL))


def label_table(fields: Fields, mask: Mask, combined: Mask) -> pa.RecordBatch:
    """Return the labels where `mask`; a combined row gives its label's own time and amount, and its model's version."""
    required = (wire.TIMESTAMP, wire.MODEL, wire.PREDICTION_ID, wire.LABEL)
    if not mask.any():
        types = (TIME_TYPE, pa.string(), pa.string(), pa.string())
        return pa.record_batch([pa.array([], kind) for kind in types], names=list(required))
    of_rows, of_labels = fields.time.values, fields.label_time.values
    if of_labels.null_count < len(of_labels):
        of_rows = pc.if_else(pa.array(combined), pc.coalesce(of_labels, of_rows), of_rows)
    columns = {
        wire.TIMESTAMP: of_rows,
        wire.MODEL: fields.model,
        wire.PREDICTION_ID: fields.columns[wire.PREDICTION_ID],
        wire.LABEL: fields.columns[wire.LABEL],
        wire.AMOUNT: _choose(fields, combined, wire.LABEL_AMOUNT, wire.AMOUNT),
        wire.LABEL_VERSION: _choose(fields, combined, wire.MODEL_VERSION, wire.LABEL_VERSION),
    }
    return _cut(columns, mask, required=required)


def change_table(fields: Fields, mask: Mask) -> pa.RecordBatch:
    """Return the change events where `mask`; their model and text may be null."""
    required = (wire.TIMESTAMP, wire.MODEL, wire.KIND, wire.TEXT)
    if not mask.any():
        types = (TIME_TYPE, pa.string(), pa.string(), pa.string())
        return pa.record_batch([pa.array([], kind) for kind in types], names=list(required))
    text = pa.nulls(fields.count, pa.string())
    columns = {wire.TIMESTAMP: fields.time.values, wire.MODEL: fields.model, wire.KIND: fields.columns[wire.KIND]}
    columns[wire.TEXT] = text if fields.get(wire.TEXT) is None else fields.columns[wire.TEXT]
    return _cut(columns, mask, required=required)


def _choose(fields: Fields, combined: Mask, of_combined: str, of_native: str) -> pa.Array | None:
    """Take a field of labels from one column in combined rows, and from another in native label events."""
    first, second = (_plain(fields.get(of_combined)), _plain(fields.get(of_native)))
    kind = next((array.type for array in (first, second) if array is not None), None)
    if kind is None:
        return None
    nothing = pa.scalar(None, kind)
    return pc.if_else(pa.array(combined), nothing if first is None else first, nothing if second is None else second)


def _plain(array: pa.Array | None) -> pa.Array | None:
    if array is not None and pa.types.is_dictionary(array.type):
        return array.dictionary_decode()
    return array


def _cut(columns: Mapping[str, pa.Array | None], mask: Mask, required: tuple[str, ...]) -> pa.RecordBatch:
    arrays = {name: array for name, array in columns.items() if array is not None}
    batch = pa.record_batch(list(arrays.values()), names=list(arrays))
    selected = batch if mask.all() else batch.filter(pa.array(mask))
    filled = [
        name
        for name, column in zip(selected.schema.names, selected.columns, strict=True)
        if name in required or name.startswith(wire.FEATURE_PREFIX) or column.null_count < len(column)
    ]
    return selected if len(filled) == len(selected.schema) else selected.select(filled)
