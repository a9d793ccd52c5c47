"""Plain thresholds: what a single reading is worth. They warn and never page."""

from typing import Final

from mlvitals.signals.spec import MetricSpec, Reading, Status

# Where nothing changed a normal variable exceeds three standard deviations once in 370 readings.
NOISE_FACTOR: Final = 3.0


def judge(spec: MetricSpec, reading: Reading) -> tuple[Status, float | None]:
    """Return a reading's status and the threshold that it was held against, None where there is none.

    The threshold is the spec's warning plus three times the reading's noise; an absolute value at it or beyond is a
    warning. Too few samples on either side withhold the verdict, not the value.
    """
    threshold = _threshold(spec, reading)
    samples = reading.samples if reading.reference_samples is None else min(reading.samples, reading.reference_samples)
    if samples < spec.minimum_samples:
        return Status.INSUFFICIENT_DATA, threshold
    if threshold is not None and abs(reading.value) >= threshold:
        return Status.WARNING, threshold
    return Status.OK, threshold


def _threshold(spec: MetricSpec, reading: Reading) -> float | None:
    if spec.warning is None:
        return None
    if spec.warning_method is not None and reading.attributes.get("method") != spec.warning_method:
        return None
    return spec.warning + NOISE_FACTOR * (reading.noise or 0.0)
