"""How much was served, how late the events came, how long the answers took."""

from collections.abc import Iterator
from functools import partial
from math import frexp, ldexp
from typing import Final

import numpy as np

from mlvitals.signals.spec import Evidence, Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic
from mlvitals.windows.histogram import HISTOGRAM_BINS, RELATIVE_ERROR, duration_bins, duration_quantile

QUANTILES: Final = (0.5, 0.95, 0.99)

# Of fewer than 100 durations the greatest is the 0.99 quantile.
_DURATIONS: Final = 100


def _count(evidence: Evidence) -> Iterator[Reading]:
    served = evidence.current.predictions
    yield Reading(value=float(served), samples=served)


def _durations(evidence: Evidence, histogram: str) -> Iterator[Reading]:
    counts = evidence.current.histogram(histogram)
    for quantile in QUANTILES:
        value = duration_quantile(counts, quantile)
        if value is None:
            return
        lower, upper = duration_bounds(value)
        yield Reading(
            value=value,
            samples=int(counts.sum()),
            attributes={"quantile": f"{quantile:g}"},
            lower=lower,
            upper=upper,
        )


def duration_bounds(middle: float) -> tuple[float | None, float | None]:
    """Return the bounds in seconds of the histogram bin with this middle.

    The first bin also holds whatever is shorter (clock faults too) and the last whatever is longer: they are open.
    """
    _, exponent = frexp(middle)
    half = ldexp(RELATIVE_ERROR, exponent - 1)
    place = int(duration_bins(np.array([middle]))[0])
    return (None if place == 0 else middle - half), (None if place == HISTOGRAM_BINS - 1 else middle + half)


PREDICTION_COUNT: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.prediction.count",
        unit="{prediction}",
        brief="Predictions served in the window, failed requests excluded.",
        layer=Layer.PIPELINE,
        stage=Stage.WINDOW,
        orientation=Orientation.NEITHER,
        level=Export.LEAN,
    ),
    compute=_count,
)

REQUEST_LATENCY: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.request.latency",
        unit="s",
        brief="Time that the model took to answer, by quantile.",
        layer=Layer.PIPELINE,
        stage=Stage.WINDOW,
        orientation=Orientation.LOWER,
        level=Export.LEAN,
        attributes=("quantile",),
        minimum_samples=_DURATIONS,
    ),
    compute=partial(_durations, histogram="latency"),
)

EVENT_LAG: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.event.lag",
        unit="s",
        brief="Time from a prediction to the moment we saw its event, by quantile.",
        layer=Layer.PIPELINE,
        stage=Stage.WINDOW,
        orientation=Orientation.LOWER,
        level=Export.LEAN,
        attributes=("quantile",),
        minimum_samples=_DURATIONS,
    ),
    compute=partial(_durations, histogram="lag"),
)
