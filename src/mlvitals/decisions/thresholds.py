"""Plain thresholds: what a single reading is worth. They warn and never page."""

from typing import Final

from mlvitals.signals.spec import MetricSpec, Orientation, Reading, Status

# Where nothing changed a normal variable exceeds three standard deviations once in 370 readings.
NOISE_FACTOR: Final = 3.0


def judge(spec: MetricSpec, reading: Reading) -> tuple[Status, float | None]:
    """Return a reading's status and the threshold that it was held against, None where there is none.

    The threshold is as far from what is normal, in the direction that is worse, as the spec's warning and three times
    the reading's noise; a value at it or beyond is a warning. Where neither way is better, normal is 0 and the absolute
    value counts. A reading that brings its verdict keeps it; one that brings its limits is held against the one on its
    side of normal, however few its samples: that they are few may be the news. Else too few samples on either side
    withhold the verdict, not the value.
    """
    if reading.verdict is not None:
        return reading.verdict, None
    if reading.limits is not None:
        return _within(reading.value, *reading.limits, normal=reading.normal)
    threshold = _threshold(spec, reading)
    samples = reading.samples if reading.reference_samples is None else min(reading.samples, reading.reference_samples)
    if samples < spec.minimum_samples:
        return Status.INSUFFICIENT_DATA, threshold
    if threshold is not None and _reaches(spec.orientation, reading.value, threshold):
        return Status.WARNING, threshold
    return Status.OK, threshold


def _within(value: float, low: float, high: float, *, normal: float | None) -> tuple[Status, float]:
    status = Status.OK if low < value < high else Status.WARNING
    return status, low if value < (normal or 0.0) else high


def _threshold(spec: MetricSpec, reading: Reading) -> float | None:
    if spec.warning is None or reading.normal is None or not spec.judges(reading.attributes):
        return None
    excess = spec.warning + NOISE_FACTOR * (reading.noise or 0.0)
    match spec.orientation:
        case Orientation.LOWER:
            return reading.normal + excess
        case Orientation.HIGHER:
            return reading.normal - excess
        case Orientation.NEITHER:
            return excess


def _reaches(orientation: Orientation, value: float, threshold: float) -> bool:
    match orientation:
        case Orientation.LOWER:
            return value >= threshold
        case Orientation.HIGHER:
            return value <= threshold
        case Orientation.NEITHER:
            return abs(value) >= threshold
