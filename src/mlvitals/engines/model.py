"""One model's running state: what its events do to its windows."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlvitals import wire
from mlvitals.config import ModelConfig
from mlvitals.engines.account import Account
from mlvitals.engines.intake import (
    PARK_AHEAD,
    UNKNOWN_VERSION,
    Identities,
    Rows,
    Sorted,
    Times,
    drop_repeats,
    remembered,
    rows_by_text,
    sort_by_time,
    times_of,
)
from mlvitals.engines.layouts import References
from mlvitals.engines.join import LabelJoin
from mlvitals.engines.learning import Learner, LearningState
from mlvitals.engines.waiting import hold
from mlvitals.errors import StateError
from mlvitals.events import Disposition, column, numbers
from mlvitals.hashing import KeyedHash
from mlvitals.windows.categories import Coders
from mlvitals.windows.cohorts import CohortKey, Cohorts
from mlvitals.windows.groups import ALL, Grouping, group_rows, segment_codes
from mlvitals.windows.labels import Label, LabelIndex, Remembered
from mlvitals.windows.layout import Layout
from mlvitals.windows.summarize import Columns, summarize
from mlvitals.windows.watermark import SourceProgress, Watermark


@dataclass(slots=True, kw_only=True)
class Reading:
    """How a batch came: its source, the clock, and whether the lag of its events means anything."""

    source: str
    now: int
    measure_lag: bool


class Progress(msgspec.Struct, kw_only=True):
    """What of a model's progress is kept between processes."""

    predictions: dict[str, SourceProgress] = {}
    labels: dict[str, SourceProgress] = {}
    closed: int | None = None
    settled: int | None = None
    learning: LearningState = msgspec.field(default_factory=LearningState)
    maturities: tuple[str, ...] = ()


class ModelRun:
    """A model that is being monitored. Every call belongs into the caller's transaction."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        config: ModelConfig,
        references: References,
        key: KeyedHash,
        account: Account,
    ) -> None:
        self.config = config
        self.references = references
        self.account = account
        self.connection = connection
        self.labels = LabelIndex(connection)
        self.key = key
        self.coders = Coders()
        self.size = config.windows.size.window
        self.maturities = tuple(map(str, config.labels.maturities)) if config.labels else ()
        self.cohorts = Cohorts(connection, config.name, len(self.maturities))
        self.join = self._make_join()
        self.learner = self._make_learner()
        self.touched = True  # something may be due
        self.dirty = False  # something is not written yet
        progress = self._load()
        self.learning = progress.learning
        self.watermark = Watermark(progress.predictions, progress.labels, progress.closed, progress.settled)

    @property
    def name(self) -> str:
        """The model's name."""
        return self.config.name

    @property
    def remembers(self) -> bool:
        """Whether predictions are remembered by id."""
        return self.config.labels is not None or self.config.deduplicate

    def take_predictions(self, reading: Reading, batch: pa.RecordBatch) -> None:
        """Give every row of a batch of this model's predictions its disposition, and count those that are accepted."""
        self.touched = self.dirty = True
        batch = self.references.choice.rename(batch)
        times = times_of(batch)
        starts = self.size.starts(times)
        rows = self._defer(reading, batch, times, starts)
        parted = sort_by_time(times, rows, self._ends(starts[rows]), reading.now, self.watermark.closed)
        columns = Columns(batch, self.coders)
        if self.remembers:
            parted = self._recall(columns, parted, starts)
        self._count_rows(reading.source, parted)
        if len(parted.accepted):
            newest = int(times[parted.accepted].max())
            self.watermark.observe(self.watermark.predictions, reading.source, newest, reading.now)
            lag = (reading.now - times) / 1e6 if reading.measure_lag else None
            self._count_served(columns, parted.accepted, starts, lag)
            self._learn(batch, parted.accepted, starts)

    def take_labels(self, reading: Reading, times: Times, labels: Sequence[Label]) -> None:
        """Join labels of this model; `times` are theirs."""
        if self.join is not None and len(labels):
            self.touched = self.dirty = True
            self.watermark.observe(self.watermark.labels, reading.source, int(times.max()), reading.now)
            self.join.add(labels)

    def advance(self, close: int | None, settle: int | None) -> bool:
        """Move the watermark on; tell whether anything may be due since."""
        before = (self.watermark.closed, self.watermark.settled)
        self.watermark.advance(close, settle)
        moved = before != (self.watermark.closed, self.watermark.settled)
        due, self.touched = self.touched or moved, False
        self.dirty = self.dirty or due
        return due

    def flush(self) -> None:
        """Write what has changed."""
        if not self.dirty:
            return
        self.dirty = False
        self.cohorts.flush()
        progress = Progress(
            predictions=self.watermark.predictions,
            labels=self.watermark.labels,
            closed=self.watermark.closed,
            settled=self.watermark.settled,
            learning=self.learning,
            maturities=self.maturities,
        )
        self.connection.execute(
            "INSERT INTO progress VALUES (?, ?) ON CONFLICT DO UPDATE SET document = excluded.document",
            (self.name, msgspec.json.encode(progress)),
        )

    def layout_at(self, version: str, start: int) -> Layout:
        """Return the layout that a version's window is counted under: the one it began with, if it has begun."""
        cohort = self.cohorts.get(CohortKey(start, version, ALL))
        if cohort is not None:
            return cohort.summary.layout
        return self.layout(version)

    def layout(self, version: str) -> Layout:
        """Return the layout under which a version's next window begins."""
        known = self.references.layout(version)
        if known is not None:
            return known
        if self.learner is None:
            raise StateError(f"model `{self.name}` has no reference to be counted under")
        return self.learner.provisional(self.learning)

    def _load(self) -> Progress:
        row = self.connection.execute("SELECT document FROM progress WHERE model = ?", (self.name,)).fetchone()
        if row is None:
            return Progress(maturities=self.maturities)
        progress = msgspec.json.decode(row[0], type=Progress)
        if progress.maturities != self.maturities:
            before, now = (", ".join(ages) or "none" for ages in (progress.maturities, self.maturities))
            raise StateError(
                f"model `{self.name}`: the state was kept for maturities {before}, the configuration says {now}; "
                "go back to those, or begin a new state file"
            )
        return progress

    def _make_join(self) -> LabelJoin | None:
        labels = self.config.labels
        if labels is None:
            return None
        return LabelJoin(
            model=self.name,
            index=self.labels,
            cohorts=self.cohorts,
            account=self.account,
            maturities=[maturity.microseconds for maturity in labels.maturities],
            horizon=labels.horizon.microseconds,
        )

    def _make_learner(self) -> Learner | None:
        operating = self.config.operating
        if operating is None or operating.first is None or self.references.operating is not None:
            return None
        return Learner(self.connection, self.name, self.size, operating.first.microseconds, self.references)

    def _defer(self, reading: Reading, batch: pa.RecordBatch, times: Times, starts: Times) -> Rows:
        """Put rows that need a reference aside while it is being learnt; return the others."""
        rows = np.arange(batch.num_rows)
        if self.learner is None or not len(rows):
            return rows
        self.learner.begin(self.learning, batch, int(times[0]))
        if self.learning.done or self.learning.until is None:
            return rows
        after = (starts >= self.learning.until) & (times <= reading.now + PARK_AHEAD)
        if after.any():
            waiting = batch.take(pa.array(np.flatnonzero(after)))
            hold(self.connection, reading.source, self.name, wire.EVENT_PREDICTION, waiting)
            self.watermark.observe(self.watermark.predictions, reading.source, int(times[after].max()), reading.now)
        return rows[~after]

    def _learn(self, batch: pa.RecordBatch, rows: Rows, starts: Times) -> None:
        if self.learner is not None and self.learning.until is not None:
            self.learner.keep(self.learning, batch, rows[starts[rows] < self.learning.until])

    def _ends(self, starts: Times) -> Times:
        known, codes = np.unique(starts, return_inverse=True)
        return np.array([self.size.end(int(start)) for start in known], dtype=np.int64)[codes]

    def _count_rows(self, source: str, parted: Sorted) -> None:
        for disposition, count in parted.counts.items():
            self.account.add(source, wire.EVENT_PREDICTION, self.name, disposition, count)
        self.account.add(source, wire.EVENT_PREDICTION, self.name, Disposition.LATE, len(parted.late))
        self.account.add(source, wire.EVENT_PREDICTION, self.name, Disposition.ACCEPTED, len(parted.accepted))

    def _recall(self, columns: Columns, parted: Sorted, starts: Times) -> Sorted:
        """Drop repeated rows, remember the others, and join the labels that were there before them."""
        rows = np.sort(np.concatenate([parted.accepted, parted.late]))
        if not len(rows):
            return parted
        identities = Identities(columns.batch, rows, self.key)
        if self.config.deduplicate:
            self.labels.touch(identities.ids)
            parted = drop_repeats(parted, identities, self.labels.fingerprints(self.name))
        errors = failed(columns.batch)
        counted = parted.accepted[~errors[parted.accepted]]
        # A failed request is remembered too, so that its copy is a duplicate; like a late one it is in no cohort.
        others = np.sort(np.concatenate([parted.accepted[errors[parted.accepted]], parted.late]))
        kept = [
            *self._memories(columns, identities, counted, starts, late=False),
            *self._memories(columns, identities, others, starts, late=True),
        ]
        if self.join is None:
            self.labels.remember(self.name, kept)
        else:
            self._begin_cohorts(kept)
            self.join.remember(identities.ids, kept)
        return parted

    def _memories(
        self, columns: Columns, identities: Identities, rows: Rows, starts: Times, *, late: bool
    ) -> list[Remembered]:
        segments = self._segments_of(columns.batch, rows)
        versions = np.array([identities.key(row)[1] for row in rows.tolist()], dtype=object)
        kept: list[Remembered] = []
        for version in sorted(set(versions.tolist())):
            mine = np.flatnonzero(versions == version)
            chosen, texts = rows[mine], [segments[place] for place in mine.tolist()]
            layout = self.layout(version)
            kept += remembered(columns, layout, identities, chosen, starts[chosen], texts, late=late)
        return kept

    def _begin_cohorts(self, kept: Sequence[Remembered]) -> None:
        """Make the cohorts of predictions whose labels may be there already, before their counts are added."""
        for start, version, segments in {(one.start, one.version, one.segments) for one in kept if not one.late}:
            for segment in (ALL, *json.loads(segments)):
                layout = self.layout_at(version, start)
                nothing = np.zeros(layout.served_size, dtype=np.int64)
                self.cohorts.add_served(CohortKey(start, version, segment), self.size.end(start), layout, nothing)

    def _segments_of(self, batch: pa.RecordBatch, rows: Rows) -> list[str]:
        if not self.config.segments:
            return ["[]"] * len(rows)
        columns = []
        for name, values in self._segment_values().items():
            codes, names = segment_codes(batch, name, values)
            columns.append([f"{name}={names[code]}" for code in codes[rows]])
        return [json.dumps(texts) for texts in zip(*columns, strict=True)]

    def _segment_values(self) -> dict[str, tuple[str, ...]]:
        layout = self.references.layout("")
        known = {} if layout is None else layout.segments
        return {name: known.get(name, ()) for name in self.config.segments}

    def _count_served(self, columns: Columns, rows: Rows, starts: Times, lag: npt.NDArray[np.float64] | None) -> None:
        errors = failed(columns.batch)
        by_version = rows_by_text(columns.batch, wire.MODEL_VERSION, UNKNOWN_VERSION)
        for version, of_version in by_version.items():
            mine = (
                of_version
                if len(rows) == columns.batch.num_rows
                else np.intersect1d(of_version, rows, assume_unique=True)
            )
            for layout, chosen in self._by_layout(version, mine, starts):
                served = chosen[~errors[chosen]]
                for grouping in self._groupings(columns.batch, served, starts):
                    self._add(version, layout, grouping, summarize(columns, layout, grouping, lag))
                broken = chosen[errors[chosen]]
                for grouping in self._groupings(columns.batch, broken, starts):
                    counts = np.zeros((len(grouping.starts), layout.served_size), dtype=np.int64)
                    counts[:, layout.served_sections["errors"]] = np.diff(grouping.bounds)[:, None]
                    self._add(version, layout, grouping, counts)

    def _by_layout(self, version: str, rows: Rows, starts: Times) -> list[tuple[Layout, Rows]]:
        """Part a version's rows by the layout of their window: nearly always one."""
        known, codes = np.unique(starts[rows], return_inverse=True)
        layouts = [self.layout_at(version, int(start)) for start in known]
        if all(layout is layouts[0] for layout in layouts):
            return [(layouts[0], rows)] if layouts else []
        return [(layout, rows[codes == code]) for code, layout in enumerate(layouts)]

    def _groupings(self, batch: pa.RecordBatch, rows: Rows, starts: Times) -> Sequence[Grouping]:
        if not len(rows):
            return []
        groupings = [group_rows(rows, starts[rows], None)]
        for name, values in self._segment_values().items():
            codes, names = segment_codes(batch, name, values)
            groupings.append(group_rows(rows, starts[rows], (name, codes[rows], names)))
        return groupings

    def _add(self, version: str, layout: Layout, grouping: Grouping, counts: npt.NDArray[np.int64]) -> None:
        for start, segment, served in zip(grouping.starts, grouping.segments, counts, strict=True):
            self.cohorts.add_served(CohortKey(start, version, segment), self.size.end(start), layout, served)


def failed(batch: pa.RecordBatch) -> npt.NDArray[np.bool_]:
    """Tell which rows are failed requests: `error` is there and is not false, empty or 0."""
    array = column(batch, wire.ERROR)
    if array is None:
        return np.zeros(batch.num_rows, dtype=bool)
    if pa.types.is_boolean(array.type):
        return np.asarray(array.fill_null(value=False).to_numpy(zero_copy_only=False))
    if pa.types.is_integer(array.type) or pa.types.is_floating(array.type):
        return np.nan_to_num(numbers(array).values) != 0
    texts = array.cast(pa.string()).fill_null("").to_numpy(zero_copy_only=False)
    return np.asarray(texts != "", dtype=bool)
