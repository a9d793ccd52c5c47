"""How much was asked for and served, how late the events came, how long the answers took."""

from collections.abc import Iterator
from functools import partial
from math import exp, frexp, ldexp, log, sqrt
from typing import Final

import numpy as np

from mlvitals.signals.proportion import wilson_interval
from mlvitals.signals.share import RATIO_ROWS
from mlvitals.signals.spec import (
    Evidence,
    Export,
    Layer,
    MetricSpec,
    Orientation,
    Reading,
    Stage,
    Statistic,
    Status,
    Volume,
)
from mlvitals.windows.histogram import HISTOGRAM_BINS, RELATIVE_ERROR, duration_bins, duration_quantile

QUANTILES: Final = (0.5, 0.95, 0.99)

# Of fewer than 100 durations the greatest is the 0.99 quantile.
_DURATIONS: Final = 100

# One request in twenty fails: five times what a service that promises two nines allows itself.
ERROR_WARNING: Final = 0.05

# Half or twice what is usual, and three standard deviations of such windows beyond.
_USUAL_FACTOR: Final = 2.0
_USUAL_NOISE: Final = 3.0
# Where fewer are usual an empty window is no news: below ten, noise alone empties one in thousands, below five in ten.
_USUAL_LEAST: Final = 10.0
_FARTHEST: Final = 50.0  # e⁵⁰ is beyond any volume, and still a number


def _count(evidence: Evidence) -> Iterator[Reading]:
    served = evidence.current.predictions
    yield Reading(value=float(served), samples=served)


def _requests(evidence: Evidence) -> Iterator[Reading]:
    asked = evidence.current.predictions + evidence.current.errors
    yield Reading(value=float(asked), samples=asked)


def _errors(evidence: Evidence) -> Iterator[Reading]:
    asked = evidence.current.predictions + evidence.current.errors
    if asked == 0:
        return
    lower, upper = wilson_interval(evidence.current.errors, asked)
    yield Reading(
        value=evidence.current.errors / asked,
        samples=asked,
        lower=lower,
        upper=upper,
        noise=sqrt(ERROR_WARNING * (1 - ERROR_WARNING) / asked),
        evidence={"errors": float(evidence.current.errors)},
    )


def _repeats(evidence: Evidence) -> Iterator[Reading]:
    if evidence.repeats is None:
        return
    rows = evidence.current.predictions + evidence.current.errors + evidence.repeats
    if rows == 0:
        return
    lower, upper = wilson_interval(evidence.repeats, rows)
    yield Reading(
        value=evidence.repeats / rows,
        samples=rows,
        lower=lower,
        upper=upper,
        evidence={"repeats": float(evidence.repeats)},
    )


def _rate(evidence: Evidence) -> Iterator[Reading]:
    """Read a version's rate, judged by the model's: versions hand traffic over to each other."""
    if evidence.seconds <= 0:
        return
    served = evidence.current.predictions
    total = served + (0 if evidence.others is None else evidence.others.predictions)
    value, usual = served / evidence.seconds, evidence.volume
    if usual is None:
        yield Reading(value=value, samples=served, verdict=Status.INSUFFICIENT_DATA)
        return
    low, high = usual_limits(usual)
    share = served / total if total else 1.0  # of the model's predictions; of none, each version is all that there is
    verdict = None if share else Status.NO_DATA  # what others serve says nothing of one that is not asked
    if usual.expected < _USUAL_LEAST:
        verdict = Status.INSUFFICIENT_DATA
    yield Reading(
        value=value,
        samples=served,
        normal=share * usual.expected / evidence.seconds,
        noise=share * usual.noise / evidence.seconds,
        limits=(share * low / evidence.seconds, share * high / evidence.seconds),
        verdict=verdict,
        evidence={
            "model": total / evidence.seconds,
            "expected": usual.expected / evidence.seconds,
            "noise": usual.noise / evidence.seconds,
            **({"ratio": total / usual.expected} if usual.expected else {}),
            "windows": float(usual.windows),
        },
    )


def usual_limits(usual: Volume) -> tuple[float, float]:
    """Return the predictions at or below, and at or above, which a window's volume is unusual.

    They lie where |ln((n + ½) ÷ (e + ½))| = ln 2 + 3·noise ÷ (e + ½): on the scale of ratios, so that an outage is far
    from any noise, while the noise of small counts is not.
    """
    middle = usual.expected + 0.5
    distance = min(log(_USUAL_FACTOR) + _USUAL_NOISE * usual.noise / middle, _FARTHEST)
    return middle * exp(-distance) - 0.5, middle * exp(distance) - 0.5


def is_outage(usual: Volume, served: int) -> bool:
    """Tell whether so few predictions of a model's window are no chance: `mlvitals.prediction.rate` warns of them."""
    return usual.expected >= _USUAL_LEAST and served <= usual_limits(usual)[0]


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

PREDICTION_RATE: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.prediction.rate",
        unit="{prediction}/s",
        brief="Predictions per second; warns where the model serves far less or far more than is usual at that time.",
        layer=Layer.PIPELINE,
        stage=Stage.WINDOW,
        orientation=Orientation.NEITHER,
        level=Export.LEAN,
        brings_limits=True,
    ),
    compute=_rate,
)

PREDICTION_DUPLICATE_RATIO: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.prediction.duplicate.ratio",
        unit="1",
        brief="Share of the window's predictions whose id had been served before; they are not counted again.",
        layer=Layer.PIPELINE,
        stage=Stage.WINDOW,
        orientation=Orientation.LOWER,
        level=Export.STANDARD,
        minimum_samples=RATIO_ROWS,
    ),
    compute=_repeats,
)

REQUEST_COUNT: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.request.count",
        unit="{request}",
        brief="Predictions asked for in the window, failed requests included.",
        layer=Layer.PIPELINE,
        stage=Stage.WINDOW,
        orientation=Orientation.NEITHER,
        level=Export.LEAN,
    ),
    compute=_requests,
)

REQUEST_ERROR_RATIO: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.request.error.ratio",
        unit="1",
        brief="Share of the requests that failed.",
        layer=Layer.PIPELINE,
        stage=Stage.WINDOW,
        orientation=Orientation.LOWER,
        level=Export.LEAN,
        minimum_samples=RATIO_ROWS,
        warning=ERROR_WARNING,
    ),
    compute=_errors,
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
