"""What stands beside a whole version's cohort at a maturity: its segments, another version, and matured cohorts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mlvitals.engines.model import ModelRun
from mlvitals.signals.spec import Rival
from mlvitals.windows.cohorts import Cohort, CohortKey
from mlvitals.windows.groups import ALL
from mlvitals.windows.matured import Matured
from mlvitals.windows.summary import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Companions:
    """What a cohort is measured beside at a maturity, as the fields of `Evidence` by these names."""

    segments: Mapping[str, Outcome] = field(default_factory=dict)
    rival: Rival | None = None
    matured: Matured | None = None
    final: bool = False
    conflicts: int = 0


NOBODY = Companions()


class Company:
    """What stands beside one cohort at any maturity; nobody beside one of a segment.

    It depends on counts only, so that a revision comes out the same whatever was told of others meanwhile: labels that
    change a segment change its whole, and `with_versions` looks at what stands beside the versions that they changed.
    """

    def __init__(self, run: ModelRun, cohort: Cohort) -> None:
        self._run = run
        self._cohort = cohort
        whole = self._whole = cohort.key.segment == ALL
        self._segments = run.cohorts.segments_of(cohort.key) if whole and run.config.segments else []
        self._rival = _rival(run, cohort) if whole else None

    def at(self, bucket: int) -> Companions:
        """Return what stands beside it at the maturity that closes an age bucket."""
        return Companions(
            segments={one.key.segment: one.summary.outcome(bucket) for one in self._segments},
            rival=None if self._rival is None else self._rival_at(self._rival, bucket),
            matured=self._run.matured.at(self._cohort.end, bucket) if self._whole else None,
            final=self._whole and bucket == len(self._cohort.summary.outcomes) - 1,
            conflicts=self._cohort.conflicts_at(bucket),
        )

    def _rival_at(self, rival: Cohort, bucket: int) -> Rival:
        key, task = self._cohort.key, self._cohort.summary.layout.output.task
        paired = self._run.paired.at(key.start, key.version, rival.key.version, task, bucket)
        return Rival(version=rival.key.version, outcome=rival.summary.outcome(bucket), paired=paired)


def with_versions(run: ModelRun, keys: Sequence[CohortKey]) -> list[CohortKey]:
    """Return the cohorts to settle with the other versions of their windows, in order."""
    starts = sorted({key.start for key in keys if key.segment == ALL})
    beside = {cohort.key for start in starts for cohort in run.cohorts.of_window(start, ALL) if cohort.closed}
    return sorted(beside.union(keys))


def _rival(run: ModelRun, cohort: Cohort) -> Cohort | None:
    """Return the other version that served most in the window, the first by name of equals."""
    others = [one for one in run.cohorts.of_window(cohort.key.start, ALL) if one.key.version != cohort.key.version]
    served = [one for one in others if one.summary.predictions]
    return max(served, key=lambda one: one.summary.predictions, default=None)
