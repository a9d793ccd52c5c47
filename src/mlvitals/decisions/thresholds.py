"""Plain thresholds: what a single reading is worth. They warn; that one pages is a person's word, not theirs."""

from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from mlvitals.signals.spec import MetricSpec, Orientation, Reading, Status

# Where nothing changed a normal variable exceeds three standard deviations once in 370 readings.
NOISE_FACTOR: Final = 3.0

# A value that stays where it warns is above and below that by turns. A warning is over within three quarters of the
# way there: three quarters of a standard error or more away, and what is back to normal is still well within.
RECOVERY: Final = 0.75


class Levels(NamedTuple):
    """Where a reading warns, and up to where a warning lasts. side: 1 and -1 for values at or beyond them, 0 for both.

    Where it is 0, the absolute value counts.
    """

    warns: float
    lasts: float
    side: int

    def warned_by(self, value: float) -> bool:
        """Tell whether a value warns."""
        return self._beyond(value, self.warns)

    def kept_by(self, value: float) -> bool:
        """Tell whether a value keeps a warning that there is."""
        return self._beyond(value, self.lasts)

    def _beyond(self, value: float, level: float) -> bool:
        return (abs(value) if self.side == 0 else self.side * value) >= (self.side or 1) * level


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """The plain threshold of a signal.

    excess: how far from what is normal, in the direction that is worse, a value warns, beyond three times its noise;
    where neither way is better, normal is 0. None where only limits that a reading brings are one. minimum_samples:
    with fewer on either side the verdict is withheld; limits need none, for that they are few may be the news. windows:
    how many in a row must reach the level until the signal warns. recovery: the part of the way from what is normal to
    the level at which a warning still lasts; it is over once a value is nearer to normal.
    """

    orientation: Orientation
    excess: float | None
    minimum_samples: int
    windows: int
    recovery: float = RECOVERY

    @classmethod
    def of(cls, spec: MetricSpec) -> Self:
        """Return the threshold of a signal."""
        return cls(
            orientation=spec.orientation,
            excess=spec.warning,
            minimum_samples=spec.minimum_samples,
            windows=spec.warning_windows,
        )

    def levels(self, reading: Reading) -> Levels | None:
        """Return the levels of a reading, None where there are none."""
        normal = reading.normal
        if reading.limits is not None:
            normal = normal or 0.0
            side = -1 if reading.value < normal else 1
            level = reading.limits[0] if side < 0 else reading.limits[1]
            return Levels(level, normal + self.recovery * (level - normal), side)
        if self.excess is None or normal is None:
            return None
        excess = self.excess + NOISE_FACTOR * (reading.noise or 0.0)
        side = {Orientation.LOWER: 1, Orientation.HIGHER: -1, Orientation.NEITHER: 0}[self.orientation]
        if side == 0:
            return Levels(excess, self.recovery * excess, 0)
        return Levels(normal + side * excess, normal + side * self.recovery * excess, side)


class Judgement(NamedTuple):
    """What a reading is worth. threshold: the level at which it warns, None where there is none.

    standing: in how many windows in a row, this one included, the series was at its level, counted as far as it takes
    to warn; 0 where it is not. What has no verdict keeps what it had. lasts: the level down to which the warning lasts,
    where nothing but that makes it one.
    """

    status: Status
    threshold: float | None
    standing: int
    lasts: float | None = None


def judge(spec: MetricSpec, reading: Reading, before: int = 0) -> Judgement:
    """Return what a reading is worth, `before` being how its series stood in the window before.

    A value at the level is a warning; a warning that there is lasts, the value at it included, down to a lower level. A
    reading that brings its verdict keeps it, and its bar.
    """
    if reading.verdict is not None:
        return Judgement(reading.verdict, reading.bar, before)
    threshold = Threshold.of(spec)
    levels = threshold.levels(reading) if reading.limits is not None or spec.judges(reading.attributes) else None
    level = None if levels is None else levels.warns
    samples = reading.samples if reading.reference_samples is None else min(reading.samples, reading.reference_samples)
    if reading.limits is None and samples < threshold.minimum_samples:
        return Judgement(Status.INSUFFICIENT_DATA, level, before)
    if levels is None:
        return Judgement(Status.OK, None, 0)
    if levels.warned_by(reading.value):
        standing = min(before + 1, threshold.windows)
        return Judgement(Status.WARNING if standing == threshold.windows else Status.OK, level, standing)
    if before >= threshold.windows and levels.kept_by(reading.value):
        return Judgement(Status.WARNING, level, threshold.windows, levels.lasts)
    return Judgement(Status.OK, level, 0)
