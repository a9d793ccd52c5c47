"""One model's running state: what its events do to its windows."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from mlvitals import wire
from mlvitals.config import ModelConfig
from mlvitals.engines.account import Account
from mlvitals.engines.counting import Counting
from mlvitals.engines.intake import (
    PARK_AHEAD,
    Identities,
    Rows,
    Sorted,
    Times,
    drop_repeats,
    failed,
    remembered,
    sort_by_time,
    times_of,
)
from mlvitals.engines.join import LabelJoin
from mlvitals.engines.layouts import References
from mlvitals.engines.learning import Learner, LearningState
from mlvitals.engines.silence import Silence
from mlvitals.engines.standings import Standings
from mlvitals.engines.volume import UsualVolume
from mlvitals.engines.waiting import hold
from mlvitals.errors import StateError
from mlvitals.events import Disposition
from mlvitals.hashing import KeyedHash
from mlvitals.signals.spec import Volume
from mlvitals.windows.categories import Coders
from mlvitals.windows.cohorts import Cohorts
from mlvitals.windows.labels import LabelIndex, Labels
from mlvitals.windows.layout import Layout
from mlvitals.windows.matured import MaturedCohorts
from mlvitals.windows.paired import PairedCounts
from mlvitals.windows.predictions import Predictions
from mlvitals.windows.probabilities import complete_outputs
from mlvitals.windows.summarize import Columns
from mlvitals.windows.watermark import SourceProgress, Watermark

IGNORED_KEPT: Final = 100  # names; a log whose field names are ids has no end of them


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
    forgotten: int | None = None
    learning: LearningState = msgspec.field(default_factory=LearningState)
    maturities: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    silence: Silence = msgspec.field(default_factory=Silence)
    only: str | None = None


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
        self.labels = LabelIndex(connection, config.name, config.labels.silence if config.labels else None)
        self.key = key
        self.coders = Coders()
        self.size = config.windows.size.window
        self.maturities = tuple(map(str, config.labels.maturities)) if config.labels else ()
        self.only = config.labels.only if config.labels else None
        ages = [maturity.microseconds for maturity in config.labels.maturities] if config.labels else []
        checkpoints = [age.microseconds for age in config.labels.checkpoints] if config.labels else []
        self.cohorts = Cohorts(connection, config.name, ages, checkpoints)
        self.matured = MaturedCohorts(connection, config.name, tuple(ages))
        self.paired = PairedCounts(connection, config.name, len(ages))
        self.counting = Counting(cohorts=self.cohorts, size=self.size, segments=config.segments, layout=self.layout)
        self.join = self._make_join()
        self.learner = self._make_learner()
        self.dirty = False  # something is not written yet
        progress = self._load()
        self.learning = progress.learning
        self.ignored = set(progress.ignored)
        self.silence = progress.silence
        self.usual = UsualVolume(connection, config.name, self.size, references)
        self.standings = Standings(connection, config.name)
        self.watermark = Watermark(
            progress.predictions, progress.labels, progress.closed, progress.settled, progress.forgotten
        )

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
        self.dirty = True
        batch = self.references.choice.rename(batch)
        times = times_of(batch)
        starts = self.size.starts(times)
        rows = self._defer(reading, batch, times, starts)
        parted = sort_by_time(times, rows, self._ends(starts[rows]), reading.now, self.watermark.closed)
        columns = Columns(complete_outputs(batch, self.layout("").output), self.coders)
        if self.remembers:
            identities = self._identify(batch, parted)
            parted = self._recall(columns, identities, parted, starts, reading.now)
        self._count_rows(reading.source, parted)
        self.counting.count_repeats(batch, parted.repeated, starts)
        if len(parted.accepted):
            newest = int(times[parted.accepted].max())
            self.watermark.observe(self.watermark.predictions, reading.source, newest, reading.now)
            lag = (reading.now - times) / 1e6 if reading.measure_lag else None
            self.counting.count(columns, parted.accepted, starts, lag)
            self._note_ignored(batch)
            self._learn(batch, parted.accepted, starts)

    def take_labels(self, reading: Reading, labels: Labels) -> None:
        """Join labels of this model."""
        if self.join is not None and len(labels):
            self.dirty = True
            self._observe_labels(self.join.add(labels), reading.now)

    def advance(self, close: int | None, settle: int | None) -> bool:
        """Move the watermark on; tell whether another window's late events begin with it, which must not be lost."""
        before = self.watermark.closed
        self.watermark.advance(close, settle)
        after = self.watermark.closed
        return after is not None and (before is None or self.size.start(before) != self.size.start(after))

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
            forgotten=self.watermark.forgotten,
            learning=self.learning,
            maturities=self.maturities,
            ignored=tuple(sorted(self.ignored)),
            silence=self.silence,
            only=self.only,
        )
        self.connection.execute(
            "INSERT INTO progress VALUES (?, ?) ON CONFLICT DO UPDATE SET document = excluded.document",
            (self.name, msgspec.json.encode(progress)),
        )

    def layout(self, version: str) -> Layout:
        """Return the layout under which a version's next window begins."""
        known = self.references.layout(version)
        if known is not None:
            return known
        if self.learner is None:
            raise StateError(f"model `{self.name}` has no reference to be counted under")
        return self.learner.provisional(self.learning)

    def usual_volume(self, start: int) -> Volume | None:
        """Return what all versions together usually serve in a window; None in the stretch that is learnt from."""
        return None if self.is_learnt_from(start) else self.usual.at(start)

    def is_learnt_from(self, start: int) -> bool:
        """Tell whether a window lies in the stretch from which the reference is learnt, or before it."""
        until = self.learning.until
        return self.learner is not None if until is None else start < until

    def _load(self) -> Progress:
        row = self.connection.execute("SELECT document FROM progress WHERE model = ?", (self.name,)).fetchone()
        if row is None:
            return Progress(maturities=self.maturities, only=self.only)
        progress = msgspec.json.decode(row[0], type=Progress)
        if progress.maturities != self.maturities:
            before, now = (", ".join(ages) or "none" for ages in (progress.maturities, self.maturities))
            raise StateError(
                f"model `{self.name}`: the state was kept for maturities {before}, the configuration says {now}; "
                "go back to those, or begin a new state file"
            )
        if progress.only != self.only:
            before, now = (
                f"labels of the {one} class alone" if one else "all labels" for one in (progress.only, self.only)
            )
            raise StateError(
                f"model `{self.name}`: the state was kept for {before}, the configuration says {now}; "
                "go back to that, or begin a new state file"
            )
        return progress

    def _note_ignored(self, batch: pa.RecordBatch) -> None:
        """Note features that the rows have and the layout does not: a change of the schema, told once, by `status`."""
        layout = self.references.layout("")
        if layout is None:
            return
        known = {feature.name for feature in layout.features}
        for index, name in enumerate(batch.schema.names):
            feature = name.removeprefix(wire.FEATURE_PREFIX)
            if feature == name or feature in known or feature in self.ignored or len(self.ignored) >= IGNORED_KEPT:
                continue
            if self.references.choice.monitors(feature) and batch.column(index).null_count < batch.num_rows:
                self.ignored.add(feature)

    def _make_join(self) -> LabelJoin | None:
        labels = self.config.labels
        if labels is None:
            return None
        return LabelJoin(
            model=self.name,
            index=self.labels,
            cohorts=self.cohorts,
            paired=self.paired,
            account=self.account,
            maturities=np.array([maturity.microseconds for maturity in labels.maturities], dtype=np.int64),
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
        if self.learner is None or self.learning.done:
            return rows
        plausible = times <= reading.now + PARK_AHEAD
        until = self.learning.until
        if until is None:
            first = np.flatnonzero(plausible & ~failed(batch))[:1]
            if not len(first):
                return rows
            until = self.learner.begin(self.learning, batch.slice(int(first[0]), 1), int(times[first[0]]))
        after = plausible & (starts >= until)
        if after.any():
            waiting = batch.take(pa.array(np.flatnonzero(after)))
            hold(self.connection, reading.source, self.name, wire.EVENT_PREDICTION, waiting)
            self.watermark.observe(self.watermark.predictions, reading.source, int(times[after].max()), reading.now)
        return rows[~after]

    def _learn(self, batch: pa.RecordBatch, rows: Rows, starts: Times) -> None:
        if self.learner is not None and self.learning.until is not None:
            served = rows[~failed(batch)[rows]]
            self.learner.keep(self.learning, batch, served[starts[served] < self.learning.until])

    def _observe_labels(self, newest: Mapping[str, int], now: int) -> None:
        for source, time in newest.items():
            self.watermark.observe(self.watermark.labels, source, time, now)

    def _ends(self, starts: Times) -> Times:
        known, codes = np.unique(starts, return_inverse=True)
        return np.array([self.size.end(int(start)) for start in known], dtype=np.int64)[codes]

    def _count_rows(self, source: str, parted: Sorted) -> None:
        for disposition, count in parted.counts.items():
            self.account.add(source, wire.EVENT_PREDICTION, self.name, disposition, count)
        self.account.add(source, wire.EVENT_PREDICTION, self.name, Disposition.LATE, len(parted.late))
        self.account.add(source, wire.EVENT_PREDICTION, self.name, Disposition.ACCEPTED, len(parted.accepted))

    def _identify(self, batch: pa.RecordBatch, parted: Sorted) -> Identities:
        """Return who the rows are, by what was logged of them."""
        return Identities(batch, np.sort(np.concatenate([parted.accepted, parted.late])), self.key)

    def _recall(self, columns: Columns, identities: Identities, parted: Sorted, starts: Times, now: int) -> Sorted:
        """Drop repeated rows, remember the others, and join the labels that were there before them."""
        if not len(identities.rows):
            return parted
        look = self.labels.look(identities.ids)
        if self.config.deduplicate:
            verdicts = self.labels.repeats(look, identities.ids, identities.versions, identities.fingerprints)
            parted = drop_repeats(parted, identities.rows, verdicts)
        errors = failed(columns.batch)
        # A failed request is remembered too, so that its copy is a duplicate; like a late one it is not counted.
        others = np.sort(np.concatenate([parted.accepted[errors[parted.accepted]], parted.late]))
        counted = parted.accepted[~errors[parted.accepted]]
        kept = self._memories(columns, identities, np.concatenate([counted, others]), starts, counted=len(counted))
        if self.join is None:
            self.labels.remember(look, kept)
        else:
            self.counting.begin(kept)
            self._observe_labels(self.join.remember(look, kept), now)
        return parted

    def _memories(
        self, columns: Columns, identities: Identities, rows: Rows, starts: Times, *, counted: int
    ) -> Predictions:
        """Return what is kept of rows, the first of which are counted."""
        segments = self.counting.segments_of(columns.batch, rows)
        versions = identities.versions.take(identities.places(rows))
        kept: list[Predictions] = []
        for code in np.flatnonzero(np.bincount(versions.codes, minlength=1)).tolist() or [0]:
            mine = np.flatnonzero(versions.codes == code)
            kept.append(
                remembered(
                    columns,
                    self.layout(versions.texts[code] or ""),
                    identities,
                    rows[mine],
                    starts=starts[rows[mine]],
                    segments=segments.take(mine),
                    uncounted=mine >= counted,
                )
            )
        return Predictions.joined(kept)
