"""Mapped rows to events: whole predictions and labels, or the halves of predictions."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlvitals import wire
from mlvitals.events import EventBatch, RawBatch, ReadAccount
from mlvitals.events.names import escape
from mlvitals.formats.assemble import assemble
from mlvitals.formats.base import DecodePlan, Want
from mlvitals.formats.csvtext import type_feature
from mlvitals.formats.fieldmap import FieldMap, Half
from mlvitals.formats.mappedrows import HALF, RESPONSE, ReadLines
from mlvitals.formats.rows import Mask, Rows
from mlvitals.formats.times import LATEST


def to_events(
    read: ReadLines, fields: FieldMap, plan: DecodePlan, zone: str | None, raw: RawBatch, *, cells: bool = False
) -> EventBatch:
    """Turn rows as read by a mapping into events; every row that is none is counted with its reason.

    cells: every feature was a cell of comma-separated values.
    """
    cell_features = [*read.rows.columns] if cells else _csv_features(fields)
    rows = _finish(read.rows, cell_features, plan)
    if fields.half is None:
        batch = assemble(rows, plan, zone, place=raw.place, position=raw.position)
    else:
        batch = _to_halves(rows, fields.half, plan, zone, raw)
    skipped = ReadAccount(rows=read.skipped, parsed=0, skipped=read.skipped)
    return replace(batch, account=batch.account + skipped)


def _to_halves(rows: Rows, half: Half, plan: DecodePlan, zone: str | None, raw: RawBatch) -> EventBatch:
    """Turn halves into events that wait for each other; whatever the plan wants, they need ids and times."""
    plan = replace(plan, ids=True, labels=False, times=True)
    kinds = rows.columns.get(HALF)
    is_response = np.zeros(len(rows), dtype=bool)
    if kinds is not None:
        is_response = np.asarray(pc.equal(kinds, RESPONSE))
    columns = {name: array for name, array in rows.columns.items() if name != HALF}
    whole = Rows(columns=columns, lines=rows.lines, wrong=rows.wrong, failures=rows.failures)
    place, position = raw.place, raw.position
    requests = assemble(_only(whole, ~is_response), plan, zone, place=place, position=position, requests=True)
    unread = Rows(columns=columns, lines=rows.lines, wrong=rows.wrong)
    responses = assemble(_only(unread, is_response), plan, zone, place=place, position=position)
    halves = {
        wire.EVENT_REQUEST: _with_deadline(requests.predictions, half),
        wire.EVENT_RESPONSE: _with_deadline(responses.predictions, half),
    }
    if half.latency:
        answered = halves[wire.EVENT_RESPONSE]
        halves[wire.EVENT_RESPONSE] = answered.append_column(wire.RESPONDED, answered.column(wire.TIMESTAMP))
    return replace(
        requests,
        predictions=requests.predictions.slice(0, 0),
        account=requests.account + responses.account,
        halves=halves,
    )


def _with_deadline(batch: pa.RecordBatch, half: Half) -> pa.RecordBatch:
    times = np.asarray(batch.column(wire.TIMESTAMP).cast(pa.int64()))
    deadlines = pa.array(np.minimum(times, LATEST - half.within) + half.within)
    return batch.append_column(wire.DEADLINE, deadlines.cast(pa.timestamp("us", tz="UTC")))


def _only(rows: Rows, mask: Mask) -> Rows:
    chosen = pa.array(mask)
    return Rows(
        columns={name: array.filter(chosen) for name, array in rows.columns.items()},
        lines=rows.lines[mask],
        wrong={name: wrong[mask] for name, wrong in rows.wrong.items()},
        failures=rows.failures,
    )


def _finish(rows: Rows, cells: Sequence[str], plan: DecodePlan) -> Rows:
    """Give features one type: those that the plan reads as numbers, and those whose cells were comma-separated."""
    columns = dict(rows.columns)
    for name in cells:
        array = columns.get(name) if name.startswith(wire.FEATURE_PREFIX) else None
        if array is not None and pa.types.is_string(array.type):
            columns[name] = type_feature(name.removeprefix(wire.FEATURE_PREFIX), array, plan)
    for name, want in (plan.features or {}).items():
        array = columns.get(wire.FEATURE_PREFIX + name)
        if want is Want.NUMBER and array is not None and pa.types.is_integer(array.type):
            columns[wire.FEATURE_PREFIX + name] = array.cast(pa.float64(), safe=False)
    return Rows(columns=columns, lines=rows.lines, wrong=rows.wrong, failures=rows.failures)


def _csv_features(fields: FieldMap) -> list[str]:
    cells = {(*path, name): name for path, names in fields.csv for name in names}
    found = [name for name, paths in fields.single if any(path in cells for path in paths)]
    for prefix, wildcards in fields.wild:
        of_csv = [wildcard.path[:-1] for wildcard in wildcards]
        found += [prefix + escape(name) for path, name in cells.items() if path[:-1] in of_csv]
    return found
