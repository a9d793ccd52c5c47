"""Joining labels: what arrives changes what met before into what meets now, and the difference is counted."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlvitals import wire
from mlvitals.engines.account import Account
from mlvitals.events import Disposition
from mlvitals.windows.cohorts import Cohort, CohortKey, Cohorts
from mlvitals.windows.groups import ALL
from mlvitals.windows.labels import Change, LabelIndex, Labels, Look
from mlvitals.windows.layout import Layout
from mlvitals.windows.outcomes import Contributions, add_outcomes, contributions
from mlvitals.windows.paired import PairedCounts, count_paired, shared_ids
from mlvitals.windows.pairs import Codes, Pairs
from mlvitals.windows.predictions import Predictions
from mlvitals.windows.summary import Counts

_CELLS_AT_ONCE: Final = 2**21  # of outcomes that are counted together


@dataclass(frozen=True, slots=True, eq=False)
class _Share:
    """What pairs contribute, taken back or given, and which of it belongs to each cohort."""

    pairs: Pairs
    what: Contributions
    members: Mapping[CohortKey, Codes]

    def of(self, places: Codes) -> Contributions:
        return Contributions(*(column[places] for column in (self.what.rows, self.what.buckets, self.what.signs)))


@dataclass(slots=True, kw_only=True)
class LabelJoin:
    """The join of one model. Every call belongs into the caller's transaction.

    maturities: ascending ages, in microseconds; horizon: the greatest age of a label that counts at all.
    """

    model: str
    index: LabelIndex
    cohorts: Cohorts
    paired: PairedCounts
    account: Account
    maturities: npt.NDArray[np.int64]
    horizon: int

    def remember(self, look: Look, predictions: Predictions) -> dict[str, int]:
        """Remember predictions, whose labels may be there already; return each source's newest label among these."""
        return self._count_change(self.index.remember(look, predictions))

    def add(self, labels: Labels) -> dict[str, int]:
        """Take labels, whose predictions may come later; return each source's newest that one is there for."""
        change = self.index.add(self.index.look(labels.ids), labels)
        arrived = np.bincount(labels.sources.codes, minlength=len(labels.sources.texts))
        for source, count in zip(labels.sources.texts, arrived.tolist(), strict=True):
            self._count(source or "", Disposition.ORPHAN, count)
        for source, known in change.duplicates.items():
            self._count(source, Disposition.DUPLICATE, known)
            self._count(source, Disposition.ORPHAN, -known)
        return self._count_change(change)

    def _count_change(self, change: Change) -> dict[str, int]:
        shares = []
        for pairs, sign in ((change.before, -1), (change.after, 1)):
            self._count_pairs(pairs, sign)
            what = contributions(pairs, self.maturities)
            what = Contributions(what.rows, what.buckets, sign * what.signs)
            shares.append(_Share(pairs, what, _members(pairs, what)))
        cohorts = {key: self._cohort(key) for key in sorted({key for share in shares for key in share.members})}
        self._add_outcomes(cohorts, shares)
        self._add_paired(cohorts, shares)
        self._add_conflicts(cohorts, shares)
        return change.after.newest_by_source(self.horizon)

    def _count_pairs(self, pairs: Pairs, sign: int) -> None:
        """A label that met its prediction is no orphan any more: it is accepted, or expired if it came too late."""
        for source, (within, beyond) in pairs.labels_by_source(self.horizon).items():
            self._count(source, Disposition.ACCEPTED, sign * within)
            self._count(source, Disposition.EXPIRED, sign * beyond)
            self._count(source, Disposition.ORPHAN, -sign * (within + beyond))

    def _count(self, source: str, disposition: Disposition, rows: int) -> None:
        self.account.add(source, wire.EVENT_LABEL, self.model, disposition, rows)

    def _cohort(self, key: CohortKey) -> Cohort:
        cohort = self.cohorts.get(key)
        if cohort is None:
            raise KeyError(f"cohort {key} of model `{self.model}` is gone before its predictions")
        return cohort

    def _add_outcomes(self, cohorts: Mapping[CohortKey, Cohort], shares: list[_Share]) -> None:
        """Count what the shares say of all cohorts of a layout together, as if each were so many more age buckets."""
        buckets = len(self.maturities)
        for layout, keys in _by_layout(cohorts, buckets):
            outcomes = np.zeros((len(keys) * buckets, layout.outcome_size), dtype=np.int64)
            for share in shares:
                own = [share.members.get(key, _NOWHERE) for key in keys]
                part = share.of(np.concatenate(own))
                offsets = np.repeat(np.arange(len(keys)) * buckets, [len(places) for places in own])
                add_outcomes(
                    outcomes, layout, share.pairs, Contributions(part.rows, part.buckets + offsets, part.signs)
                )
            changed = outcomes.reshape(len(keys), -1).any(axis=1)
            for place in np.flatnonzero(changed).tolist():
                self.cohorts.add_outcomes(keys[place], outcomes[place * buckets : (place + 1) * buckets])

    def _add_paired(self, cohorts: Mapping[CohortKey, Cohort], shares: list[_Share]) -> None:
        """Count what two versions made of the same ids; a prediction that comes late may change that alone."""
        beside = [(share, shared) for share in shares if (shared := shared_ids(share.pairs)) is not None]
        if not beside:
            return
        for key, cohort in cohorts.items():
            if key.segment != ALL:
                continue
            totals: dict[str, Counts] = {}
            for share, shared in beside:
                what = share.of(share.members.get(key, _NOWHERE))
                layout = cohort.summary.layout
                for other, counts in count_paired(layout, share.pairs, shared, what, len(self.maturities)):
                    totals[other] = totals[other] + counts if other in totals else counts
            for other, counts in totals.items():
                if counts.any():
                    self.paired.add(key.start, key.version, other, counts)
                    self.cohorts.note_change(cohort)

    def _add_conflicts(self, cohorts: Mapping[CohortKey, Cohort], shares: list[_Share]) -> None:
        """Count labels that stand after others which said something else, by the bucket in which they count."""
        beside = [(share, changed) for share in shares if (changed := share.pairs.changed()).any()]
        for key in cohorts if beside else ():
            conflicts = np.zeros(len(self.maturities), dtype=np.int64)
            for share, changed in beside:
                what = share.of(share.members.get(key, _NOWHERE))
                np.add.at(conflicts, what.buckets, what.signs * changed[what.rows])
            if conflicts.any():
                self.cohorts.add_conflicts(key, conflicts)


_NOWHERE: Final = np.zeros(0, dtype=np.intp)


def _members(pairs: Pairs, what: Contributions) -> dict[CohortKey, Codes]:
    """Return for each cohort which contributions are to it: that of their window and version, and of each segment."""
    rows = what.rows
    codes = pa.array(pairs.starts[rows]).dictionary_encode().indices.to_numpy().astype(np.int64)
    for column in (pairs.versions, pairs.segments):
        codes = codes * len(column.texts) + column.codes[rows]
    order = np.argsort(codes)
    new = np.diff(codes[order], prepend=codes[order[:1]]) != 0
    found: dict[CohortKey, list[Codes]] = defaultdict(list)
    for places in np.split(order, np.flatnonzero(new)) if len(order) else []:
        row = rows[places[0]]
        start, version = int(pairs.starts[row]), pairs.versions.texts[pairs.versions.codes[row]] or ""
        for segment in (ALL, *json.loads(pairs.segments.texts[pairs.segments.codes[row]] or "[]")):
            found[CohortKey(start, version, segment)].append(places)
    return {key: parts[0] if len(parts) == 1 else np.concatenate(parts) for key, parts in found.items()}


def _by_layout(cohorts: Mapping[CohortKey, Cohort], buckets: int) -> Iterator[tuple[Layout, list[CohortKey]]]:
    """Yield the cohorts of each layout, some at a time."""
    layouts: dict[str, Layout] = {}
    keys: dict[str, list[CohortKey]] = defaultdict(list)
    for key, cohort in cohorts.items():
        layout = cohort.summary.layout
        layouts[layout.hash] = layout
        keys[layout.hash].append(key)
    for name, layout in layouts.items():
        many = max(1, _CELLS_AT_ONCE // (buckets * layout.outcome_size))
        for first in range(0, len(keys[name]), many):
            yield layout, keys[name][first : first + many]
