"""What surrounds a cohort as its window closes: the window before, the other versions, what is usual."""

from dataclasses import dataclass

from mlvitals.engines.model import ModelRun
from mlvitals.signals.spec import Volume
from mlvitals.windows.cohorts import Cohort
from mlvitals.windows.groups import ALL
from mlvitals.windows.layout import Layout
from mlvitals.windows.relaid import relaid
from mlvitals.windows.summary import Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a window is measured beside, as the fields of `Evidence` by these names; all under the cohort's layout."""

    previous: Summary | None = None
    others: Summary | None = None
    repeats: int | None = None
    volume: Volume | None = None
    silence: float = 0.0


class Surveyor:
    """Looks around the cohorts of one model, window by window.

    What it finds depends on the counts of closed windows only, and these no longer change: neither the order nor a
    restart between the cohorts of a window can tell.
    """

    def __init__(self, run: ModelRun) -> None:
        self._run = run
        self._start: int | None = None
        self._sums: dict[str, dict[str, _Sum]] = {}

    def look(self, cohort: Cohort) -> Surroundings:
        """Return what surrounds a cohort."""
        key, layout = cohort.key, cohort.summary.layout
        previous = self._run.cohorts.previous(key) if cohort.summary.predictions else None
        others = self._others(cohort)
        return Surroundings(
            previous=None if previous is None else relaid(previous, layout),
            others=others,
            repeats=cohort.repeats if self._run.config.deduplicate else None,
            volume=self._run.usual_volume(key.start) if key.segment == ALL else None,
            silence=self._silence(cohort) if key.segment == ALL and others is None else 0.0,
        )

    def _silence(self, cohort: Cohort) -> float:
        """Return a version's share of a window in which none served: all that tell of it have one of the same size."""
        if cohort.summary.predictions:
            return 0.0
        asked = {one.key.version for one in self._run.cohorts.of_window(cohort.key.start, ALL)}
        return 1 / len({cohort.key.version, *asked, *self._run.silence.versions})

    def _others(self, cohort: Cohort) -> Summary | None:
        """Return the sum of the other versions, None where none served."""
        if cohort.key.start != self._start:
            self._start, self._sums = cohort.key.start, {}
        if cohort.key.segment not in self._sums:
            self._sums[cohort.key.segment] = self._add_up(cohort.key.segment)
        layout = cohort.summary.layout
        parts = []
        for name, one in self._sums[cohort.key.segment].items():
            part = one.without(cohort.summary) if name == layout.hash else one.total
            if part.predictions or part.errors:
                parts.append(part)
        return _added(parts, layout) if any(part.predictions for part in parts) else None

    def _add_up(self, segment: str) -> "dict[str, _Sum]":
        """Add up the versions of the window under each layout, so that many versions do not cost their square."""
        assert self._start is not None  # noqa: S101  # set by the only caller
        sums: dict[str, _Sum] = {}
        for cohort in self._run.cohorts.of_window(self._start, segment):
            name = cohort.summary.layout.hash
            nothing = Summary.empty(cohort.summary.layout)
            sums.setdefault(name, _Sum(nothing)).total.served[:] += cohort.summary.served
        return sums


@dataclass(slots=True)
class _Sum:
    """The versions of one layout added up, outcomes left out."""

    total: Summary

    def without(self, one: Summary) -> Summary:
        return Summary(self.total.layout, self.total.served - one.served, self.total.outcomes)


def _added(parts: list[Summary], layout: Layout) -> Summary:
    total = Summary.empty(layout)
    for part in parts:
        total.served[:] += relaid(part, layout).served
    return total
