"""What a reference lets the detectors promise, before any of them runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mlvitals.clock import WEEK
from mlvitals.decisions.detectors import LEARNING
from mlvitals.decisions.finding import Detector
from mlvitals.decisions.usual import LEAST_WINDOWS, Mode, mode_of
from mlvitals.signals.prediction_drift import output_bins
from mlvitals.windows.reference import Reference
from mlvitals.windows.window import WindowSize

_SERVED: Final = f"the first {LEARNING // WEEK} weeks served, of {LEAST_WINDOWS} windows at least"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """On what some detectors rest. mode: learnt from the reference, None where they learn first; why: what it lacks."""

    detectors: tuple[Detector, ...]
    mode: Mode | None
    why: str = ""

    @property
    def words(self) -> str:
        """What a person reads of it: what is usual, and what the budget then covers."""
        if self.mode is None:
            return f"{self.why}: what is usual is learnt from {_SERVED}; nothing pages until then"
        return f"{self.mode.words}; the budget holds from the first window, as far as these show what is usual"


def whole_windows(reference: Reference) -> npt.NDArray[np.int64]:
    """Return the starts of a reference's windows, in order, but for the first and the last, which may be cut off."""
    return np.array(sorted(reference.series), dtype=np.int64)[1:-1]


def promises(reference: Reference) -> Iterator[Promise]:
    """Yield what each kind of detector can promise upon an operating reference, in the order in which one debugs."""
    starts = whole_windows(reference)
    mode, why = None, "windows of the reference are not known"
    if reference.series:
        why = f"only {len(starts)} whole windows"
    if len(starts) >= LEAST_WINDOWS:
        mode = mode_of(starts, WindowSize.parse(reference.window))
    traffic = mode if reference.complete else None
    sampled = "a sample shows no volume" if reference.series and not reference.complete else why
    yield Promise(detectors=(Detector.VOLUME, Detector.ERRORS), mode=traffic, why=sampled)
    if reference.layout.features:
        several = (Detector.FEATURES,) if len(reference.layout.features) > 1 else ()
        yield Promise(detectors=(Detector.FEATURE, *several), mode=mode, why=why)
    if output_bins(reference.layout.output) is not None:
        yield Promise(detectors=(Detector.PREDICTION,), mode=mode, why=why)
    if reference.layout.segments and output_bins(reference.layout.output) is not None:
        yield Promise(detectors=(Detector.SEGMENT,), mode=None, why="a reference has no windows of segments")
    labelled = Detector.COVERAGE, Detector.PERFORMANCE
    yield Promise(detectors=labelled, mode=None, why="a reference does not tell when labels came")
