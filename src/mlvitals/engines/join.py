"""Joining labels: what arrives changes what met before into what meets now, and the difference is counted."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mlvitals import wire
from mlvitals.engines.account import Account
from mlvitals.events import Disposition
from mlvitals.windows.cohorts import Cohort, CohortKey, Cohorts
from mlvitals.windows.groups import ALL
from mlvitals.windows.labels import Label, LabelIndex, Pairs, Remembered
from mlvitals.windows.outcomes import Contributions, add_outcomes, contributions
from mlvitals.windows.paired import PairedCounts, SharedIds, count_paired, shared_ids
from mlvitals.windows.summary import Counts

_Share = tuple[Pairs, SharedIds | None, Contributions]


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
    maturities: Sequence[int]
    horizon: int

    def remember(self, ids: Sequence[bytes], predictions: Sequence[Remembered]) -> dict[str, int]:
        """Remember predictions, whose labels may be there already; return each source's newest label among these."""
        before = self._pairs(ids)
        self.index.remember(self.model, predictions)
        return self._change(before)

    def add(self, labels: Sequence[Label]) -> dict[str, int]:
        """Take labels, whose predictions may come later; return each source's newest that one is there for."""
        before = self._pairs([label.id for label in labels])
        duplicates = self.index.add_labels(self.model, labels)
        arrived: dict[str, int] = defaultdict(int)
        for label in labels:
            arrived[label.source] += 1
        for source, count in arrived.items():
            known = duplicates.get(source, 0)
            self._count(source, Disposition.DUPLICATE, known)
            self._count(source, Disposition.ORPHAN, count - known)
        return self._change(before)

    def _pairs(self, ids: Sequence[bytes]) -> Pairs:
        self.index.touch(ids)
        return self.index.pairs(self.model)

    def _change(self, before: Pairs) -> dict[str, int]:
        after = self.index.pairs(self.model)
        changes: dict[CohortKey, list[_Share]] = defaultdict(list)
        for pairs, sign in ((before, -1), (after, 1)):
            self._count_pairs(pairs, sign)
            shared = shared_ids(pairs)
            for key, what in self._shares(pairs, sign):
                changes[key].append((pairs, shared, what))
        for key, shares in sorted(changes.items()):
            self._add_outcomes(key, shares)
        return after.newest_by_source(self.horizon)

    def _count_pairs(self, pairs: Pairs, sign: int) -> None:
        """A label that met its prediction is no orphan any more: it is accepted, or expired if it came too late."""
        for source, (within, beyond) in pairs.labels_by_source(self.horizon).items():
            self._count(source, Disposition.ACCEPTED, sign * within)
            self._count(source, Disposition.EXPIRED, sign * beyond)
            self._count(source, Disposition.ORPHAN, -sign * (within + beyond))

    def _count(self, source: str, disposition: Disposition, rows: int) -> None:
        self.account.add(source, wire.EVENT_LABEL, self.model, disposition, rows)

    def _shares(self, pairs: Pairs, sign: int) -> Iterator[tuple[CohortKey, Contributions]]:
        what = contributions(pairs, np.array(self.maturities, dtype=np.int64))
        members: dict[CohortKey, list[int]] = defaultdict(list)
        for place, row in enumerate(what.rows.tolist()):
            start, version = int(pairs.starts[row]), pairs.versions[row]
            for segment in (ALL, *json.loads(pairs.segments[row])):
                members[CohortKey(start, version, segment)].append(place)
        for key, places in members.items():
            yield key, Contributions(what.rows[places], what.buckets[places], sign * what.signs[places])

    def _add_outcomes(self, key: CohortKey, shares: Sequence[_Share]) -> None:
        cohort = self.cohorts.get(key)
        if cohort is None:
            raise KeyError(f"cohort {key} of model `{self.model}` is gone before its predictions")
        outcomes = np.zeros_like(cohort.summary.outcomes)
        for pairs, _, what in shares:
            add_outcomes(outcomes, cohort.summary.layout, pairs, what)
        if outcomes.any():
            self.cohorts.add_outcomes(key, outcomes)
        if key.segment == ALL:
            self._add_paired(cohort, shares)

    def _add_paired(self, cohort: Cohort, shares: Sequence[_Share]) -> None:
        """Count what two versions made of the same ids; a prediction that comes late may change that alone."""
        layout, totals = cohort.summary.layout, dict[str, Counts]()
        for pairs, shared, what in shares:
            if shared is not None:
                for other, counts in count_paired(layout, pairs, shared, what, len(self.maturities)):
                    totals[other] = totals[other] + counts if other in totals else counts
        for other, counts in totals.items():
            if counts.any():
                self.paired.add(cohort.key.start, cohort.key.version, other, counts)
                self.cohorts.note_change(cohort)
