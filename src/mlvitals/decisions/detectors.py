"""The detectors of one vector of counts: they learn what is usual, then judge window by window, and remember."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.clock import WEEK
from mlvitals.decisions.ensemble import Ensemble, Judgement, Rule
from mlvitals.decisions.finding import Recovery, Source
from mlvitals.decisions.latch import recovery_windows
from mlvitals.decisions.streams import Streams
from mlvitals.decisions.tables import Memory
from mlvitals.decisions.usual import LEAST_WINDOWS, Mode, learn
from mlvitals.decisions.usual_codec import decode_usually, encode_usually

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]

# What is not known from a reference is learnt from the windows of so long a stretch.
LEARNING: Final = 2 * WEEK
# A longer history is read from its end: a week of minutes, more than a year of hours.
_WINDOWS_AT_MOST: Final = 10_080
# Raised where what is saved means something else.
_FORM: Final = "2"

# What this process learnt last: references are shared by models of one kind, and opened again as it is reconfigured.
_LEARNT: Final[dict[tuple[str, ...], bytes]] = {}
_LEARNT_AT_MOST: Final = 64

Make = Callable[[Floats, float], Streams | None]
"""Makes streams after the pooled counts of a history and the rows of a typical window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Windows to learn from. basis: a name for them. read: their starts, and counts of (windows, counts).

    shared: the name is that of their content, whatever state learns from them, and not of a stretch of this one.
    """

    basis: str
    windows: int
    read: Callable[[], tuple[Times, Floats]]
    shared: bool = False


class Detectors:
    """Detectors over one vector of counts of a model. Every call belongs into the caller's transaction.

    Args:
        memory: where they remember.
        rule: what counts as moved.
        make: makes their streams.
        rows: how many rows a window's counts stand for.
        history: windows of the reference, None where what is usual is to be learnt from the first windows served.
        together: a detector of the mean evidence of all, where there is one.

    """

    def __init__(
        self,
        *,
        memory: Memory,
        rule: Rule,
        make: Make,
        rows: Callable[[Floats], Floats],
        history: History | None,
        together: Source | None = None,
    ) -> None:
        self._memory = memory
        self._rule = rule
        self._make = make
        self._rows = rows
        self._together = together
        self._ensemble: Ensemble | None = None
        self._basis = ""
        self._learning = history is None or history.windows < LEAST_WINDOWS
        self.last: int | None = None
        self._word = 0
        if history is not None and not self._learning:
            self._begin(history)
        else:
            self._learn()

    @property
    def mode(self) -> Mode | None:
        """On what the promise rests; None while it is still learnt."""
        return None if self._ensemble is None else self._ensemble.usually.mode

    @property
    def evidence(self) -> Mapping[Source, float]:
        """Log10 of every detector's evidence after the last window; empty while they learn."""
        return {} if self._ensemble is None else self._ensemble.evidence

    @property
    def latched(self) -> frozenset[Source]:
        """The detectors whose alarm lasts."""
        return frozenset() if self._ensemble is None else self._ensemble.latched

    def take(self, start: int, counts: Floats, bars: Callable[[Source], float]) -> Judgement | None:
        """Take a window in; return what the detectors say, None while they learn or where it was taken already.

        Windows come in order; the very first is not learnt from, for it may have begun in its midst.
        """
        if self.last is not None and start <= self.last:
            return None
        first, self.last = self.last is None, start
        if self._ensemble is None:
            if first:
                self._memory.write("", start, 0, ())
                return None
            self._memory.keep(start, counts)
            self._memory.write("", start, 0, ())
            self._learn()
            return None
        judged = self._ensemble.take(counts, start, {source: bars(source) for source in self._ensemble.sources})
        self._save()
        return judged

    def expected_rate(self, source: Source, component: str, start: int) -> float | None:
        """Return the share that is usual of a rate in the window that starts then; None while that is still learnt."""
        return None if self._ensemble is None else self._ensemble.expected_rate(source, component, start)

    def let_go(self, end: int, of: Source | None = None) -> list[Recovery]:
        """End every alarm, or that of one detector, for nothing is served any more of what it was of."""
        gone = sorted(source for source in self.latched if of in (None, source))
        if self._ensemble is None or not gone:
            return []
        for source in gone:
            self._ensemble.release(source)
        self._save()
        return [Recovery(source=source, end=end) for source in gone]

    def rebase(self, concerns: Callable[[Source], bool], word: int) -> None:
        """Learn the levels of some detectors anew, as a person said at a place among all words; once only."""
        if self._ensemble is None or word <= self._word:
            return
        for source in self._ensemble.sources:
            if concerns(source):
                self._ensemble.rebase(source)
        self._word = word
        if self.last is not None:
            self._save()

    @property
    def recovery_windows(self) -> int:
        """How many windows must be inside before an alarm is over."""
        return recovery_windows(self._rule.size)

    def _save(self) -> None:
        assert self._ensemble is not None  # noqa: S101  # asked for by the callers
        assert self.last is not None  # noqa: S101  # likewise
        self._memory.write(self._basis, self.last, self._word, self._ensemble.kept)

    def _learn(self) -> None:
        """Begin to judge once the windows that were kept are enough."""
        saved = self._memory.read("", ())
        if saved is not None:
            self.last = saved[0]
        count, first, last = self._memory.stretch()
        if count >= LEAST_WINDOWS and last - first + self._rule.size.length >= LEARNING:
            self._begin(History(basis=f"learnt from {first} to {last}", windows=count, read=self._memory.kept))

    def _begin(self, history: History) -> None:
        """Judge by what is usual: as it was learnt before, in this process or in this state, or by learning it now."""
        self._basis = f"{_FORM} {history.basis}"
        key = self._basis, *self._memory.key
        learnt = (_LEARNT.get(key) if history.shared else None) or self._memory.usual(self._basis)
        if learnt is None:
            learnt = self._learn_from(*history.read())
            if learnt is None:
                return
        if history.shared and key not in _LEARNT:
            _LEARNT[key] = learnt
            while len(_LEARNT) > _LEARNT_AT_MOST:
                del _LEARNT[next(iter(_LEARNT))]
        self._memory.write_usual(self._basis, learnt)
        usually = decode_usually(learnt, self._make)
        self._ensemble = Ensemble(usually, self._rule, self._together if len(usually.streams.sources) > 1 else None)
        saved = self._memory.read(self._basis, self._ensemble.kept)
        if saved is not None:
            self.last, self._word = saved

    def _learn_from(self, starts: Times, counts: Floats) -> bytes | None:
        starts, counts = starts[-_WINDOWS_AT_MOST:], counts[-_WINDOWS_AT_MOST:]
        rows = self._rows(counts)
        served = rows[rows > 0]
        pooled, typical = counts.sum(axis=0), float(np.median(served)) if len(served) else 0.0
        streams = self._make(pooled, typical)
        usually = None if streams is None else learn(streams, counts, starts, self._rule.size)
        return None if usually is None else encode_usually(usually, pooled, typical)
