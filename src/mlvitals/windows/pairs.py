"""Predictions and the labels that met them, as columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlvitals.windows.coded import Coded

Codes = npt.NDArray[np.intp]
Times = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Predictions and the labels that met them, sorted by prediction, then by label time and content; a row each.

    prediction: the index of the pair's prediction among those that met any label. ids: equal where the predictions' ids
    are, which stand together. stakes: the prediction's amount; amounts: the label's, else the prediction's; NaN where
    there is none. propensities: 0 where there is none. label: equal where the labels are. silent: there is no label,
    and that says something by now.
    limited: the label is of one version only.
    """

    prediction: Codes
    ids: Codes
    versions: Coded
    starts: Times
    uncounted: Flags
    ages: Times
    scores: Floats
    decisions: Coded
    segments: Coded
    vectors: Sequence[bytes | None]
    contents: Coded
    stakes: Floats
    amounts: Floats
    propensities: Floats
    label: Codes
    silent: Flags
    limited: Flags
    times: Times
    sources: Coded

    def changed(self) -> Flags:
        """Tell of each pair whether its prediction's labels have said different things by its time, itself among them.

        It follows from which labels there are, and not from the order in which they came.
        """
        again = np.flatnonzero(self.prediction[1:] == self.prediction[:-1]) + 1
        found = np.zeros(len(self.prediction), dtype=bool)
        if not len(again):  # most predictions have one label
            return found
        said = self.contents.ranks()
        first = np.arange(len(said))
        first[again] = 0
        first = np.maximum.accumulate(first)
        others = np.cumsum(said != said[first])
        found[again] = others[again] > others[first[again]]
        return found

    def newest_by_source(self, horizon: int) -> dict[str, int]:
        """Return the time of each source's newest label within the horizon of a prediction."""
        within = (self.ages <= horizon) & ~self.silent
        newest: dict[str, int] = {}
        for code, source in self._sources():
            times = self.times[within & (self.sources.codes == code)]
            if len(times):
                newest[source] = max(int(times.max()), newest.get(source, int(times.max())))
        return newest

    def labels_by_source(self, horizon: int) -> dict[str, tuple[int, int]]:
        """Count each source's distinct labels: within the horizon of a prediction, and beyond that of all they met."""
        rows = np.flatnonzero(~self.silent)
        met = np.full(int(self.label.max(initial=-1)) + 1, -1, dtype=np.intp)
        met[self.label[rows]] = rows
        first = met[met >= 0]
        within = np.zeros(len(met), dtype=bool)
        within[self.label[self.ages <= horizon]] = True
        within = within[met >= 0]
        counts: dict[str, tuple[int, int]] = {}
        for code, source in self._sources():
            mine = self.sources.codes[first] == code
            known = counts.get(source, (0, 0))
            counts[source] = known[0] + int((mine & within).sum()), known[1] + int((mine & ~within).sum())
        return counts

    def _sources(self) -> list[tuple[int, str]]:
        present = np.flatnonzero(np.bincount(self.sources.codes[~self.silent]))
        return [(code, self.sources.texts[code] or "") for code in present.tolist()]
