"""Taking a reference: the layout from a first pass over its rows, the counts from a second."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlvitals import wire
from mlvitals.clock import format_time
from mlvitals.events import canonical_text, column
from mlvitals.windows.categories import Coders
from mlvitals.windows.choice import Choice
from mlvitals.windows.coded import Coded
from mlvitals.windows.groups import group_rows, segment_codes
from mlvitals.windows.layout import Layout, Task
from mlvitals.windows.outcomes import Contributions, add_outcomes, contributions
from mlvitals.windows.pairs import Pairs
from mlvitals.windows.probabilities import complete_outputs
from mlvitals.windows.reference import OUTCOME_BUCKETS, Reference
from mlvitals.windows.sample import ReferenceSample
from mlvitals.windows.served_amounts import amounts_of
from mlvitals.windows.summarize import Columns, predicted_texts, summarize
from mlvitals.windows.summary import Counts, Summary
from mlvitals.windows.vectors import pack_vectors
from mlvitals.windows.window import WindowSize

Rows = npt.NDArray[np.intp]


def take_reference(
    choice: Choice,
    batches: Callable[[], Iterator[pa.RecordBatch]],
    *,
    model: str,
    version: str,
    size: WindowSize,
    complete: bool,
    provenance: Mapping[str, str],
    features_of: Layout | None = None,
) -> Reference:
    """Return the reference of some rows.

    Args:
        choice: what to monitor, and as what.
        batches: yields the rows from the beginning each time it is called; with `label`, where the truth is known;
            a row without a time is in no window of the series.
        model: as in Reference.
        version: as in Reference.
        size: of the windows of the series.
        complete: as in Reference.
        provenance: as in Reference; the count of rows and their span are added.
        features_of: a layout whose features' bins (and segments) are used instead of freezing new ones.

    """
    sample = ReferenceSample(choice)
    for batch in batches():
        sample.add(choice.rename(batch))
    layout = replace(sample.freeze(), amount=choice.amount)
    if features_of is not None:
        layout = replace(layout, features=features_of.features, segments=features_of.segments)
    summary = Summary.empty(layout, OUTCOME_BUCKETS)
    series: dict[int, Counts] = {}
    segments: dict[str, Summary] = {}
    coders = Coders()
    first, last, rows = None, None, 0
    for batch in batches():
        columns = Columns(complete_outputs(choice.rename(batch), layout.output), coders)
        timed, times = _times(batch)
        untimed = np.setdiff1d(np.arange(batch.num_rows), timed, assume_unique=True)
        grouping = group_rows(timed, size.starts(times), None)
        for start, served in zip(grouping.starts, summarize(columns, layout, grouping, None), strict=True):
            series[start] = series[start] + served if start in series else served
            summary.served[:] += served
        for served in summarize(columns, layout, group_rows(untimed, np.zeros(len(untimed), np.int64), None), None):
            summary.served[:] += served
        labelled, pairs = _labelled(columns, layout)
        what = contributions(pairs, np.zeros(OUTCOME_BUCKETS, dtype=np.int64))
        add_outcomes(summary.outcomes, layout, pairs, what)
        _count_segments(segments, columns, layout, labelled[what.rows], (pairs, what))
        rows += batch.num_rows
        if len(times):
            first = int(times.min()) if first is None else min(first, int(times.min()))
            last = int(times.max()) if last is None else max(last, int(times.max()))
    return Reference(
        model=model,
        version=version,
        window=size.text,
        complete=complete,
        summary=summary,
        series=dict(sorted(series.items())),
        segments=dict(sorted(segments.items())),
        provenance=dict(provenance) | _span(rows, first, last),
    )


def _count_segments(
    segments: dict[str, Summary], columns: Columns, layout: Layout, judged: Rows, outcomes: tuple[Pairs, Contributions]
) -> None:
    """Add a batch to the segments of its rows; judged: the row of the batch that each contribution is about."""
    rows, nowhen = np.arange(columns.batch.num_rows), np.zeros(columns.batch.num_rows, dtype=np.int64)
    pairs, what = outcomes
    for column_name, values in layout.segments.items():
        codes, names = segment_codes(columns.batch, column_name, values)
        grouping = group_rows(rows, nowhen, (column_name, codes, names))
        for segment, served in zip(grouping.segments, summarize(columns, layout, grouping, None), strict=True):
            segments.setdefault(segment, Summary.empty(layout, OUTCOME_BUCKETS)).served[:] += served
        for code in np.unique(codes[judged]).tolist():
            mine = codes[judged] == code
            part = Contributions(what.rows[mine], what.buckets[mine], what.signs[mine])
            add_outcomes(segments[f"{column_name}={names[code]}"].outcomes, layout, pairs, part)


def _times(batch: pa.RecordBatch) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """Return the rows that have a time, and their times."""
    array = column(batch, wire.TIMESTAMP)
    if array is None:
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.int64)
    return np.flatnonzero(array.is_valid()), np.asarray(array.drop_null().cast(pa.int64()))


def _span(rows: int, first: int | None, last: int | None) -> dict[str, str]:
    if first is None or last is None:
        return {"rows": str(rows)}
    return {"rows": str(rows), "first": format_time(first), "last": format_time(last)}


def _labelled(columns: Columns, layout: Layout) -> tuple[Rows, Pairs]:
    """Return the rows that carry their label, and these as pairs of age 0."""
    batch = columns.batch
    labels = column(batch, wire.LABEL)
    if labels is None:
        rows, contents = np.zeros(0, dtype=np.intp), Coded.constant(None, 0)
    else:
        rows = np.flatnonzero(~np.asarray(labels.is_null()))
        contents = Coded.of_arrow(canonical_text(labels, numerals=True).cast(pa.string()).take(pa.array(rows)))
    scores = columns.numbers(layout.output.column)
    if layout.output.task is Task.REGRESSION:
        decisions = Coded.constant(None, len(rows))
    else:
        decisions = Coded.of_arrow(predicted_texts(columns, layout).take(pa.array(rows)))
    amounts = amounts_of(columns, layout)[rows]
    nothing, nowhen = Coded.constant("", len(rows)), np.zeros(len(rows), dtype=np.int64)
    return rows, Pairs(
        prediction=np.arange(len(rows)),
        ids=np.arange(len(rows)),
        versions=nothing,
        starts=nowhen,
        uncounted=np.zeros(len(rows), dtype=bool),
        ages=nowhen,
        scores=np.full(len(rows), np.nan) if scores is None else scores.values[rows],
        decisions=decisions,
        segments=Coded.constant("[]", len(rows)),
        vectors=pack_vectors(batch, layout.output, rows),
        contents=contents,
        stakes=amounts,
        amounts=amounts,
        propensities=np.zeros(len(rows)),
        label=np.arange(len(rows)),
        silent=np.zeros(len(rows), dtype=bool),
        limited=np.zeros(len(rows), dtype=bool),
        times=nowhen,
        sources=nothing,
    )
