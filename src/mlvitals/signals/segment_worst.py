"""The declared segment in which a model does worst, told so that looking at many of them does not mislead."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from mlvitals.signals.moments import Gap, Moment, gap, moments, together
from mlvitals.signals.share import RATIO_ROWS
from mlvitals.signals.spec import Evidence, Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic
from mlvitals.windows.summary import Outcome


class _Beside(NamedTuple):
    """A metric in a segment, and in all other predictions of the cohort."""

    segment: str
    inside: Moment
    outside: Moment

    def worse_by(self, deviations: float) -> Gap:
        return gap(self.outside, self.inside, deviations)


def _worst(evidence: Evidence) -> Iterator[Reading]:
    if evidence.outcome is None or evidence.maturity is None:
        return
    found: dict[str, list[_Beside]] = {}
    for segment, part in sorted(evidence.segments.items()):
        if part.layout.hash == evidence.outcome.layout.hash:
            for one in _beside(segment, part, evidence.outcome):
                found.setdefault(one.inside.metric, []).append(one)
    for metric, all_of_them in found.items():
        enough = [one for one in all_of_them if min(one.inside.rows, one.outside.rows) >= RATIO_ROWS]
        if enough:
            attributes = {"metric": metric, "maturity": evidence.maturity}
            yield _read(enough, attributes, left_out=len(evidence.segments) - len(enough))


def _beside(segment: str, part: Outcome, whole: Outcome) -> Iterator[_Beside]:
    outside = {one.metric: one for one in moments(Outcome(whole.layout, whole.cells - part.cells))}
    for one in moments(part):
        if one.metric in outside:
            yield _Beside(segment, one, outside[one.metric])


def _read(candidates: list[_Beside], attributes: dict[str, str], left_out: int) -> Reading:
    """Return the one that is worse by most, surely: all intervals hold at once, so that of the one that is picked."""
    deviations = together(len(candidates))
    gaps = [one.worse_by(deviations) for one in candidates]
    place = max(range(len(gaps)), key=lambda index: gaps[index].lower)
    worst, its = candidates[place], gaps[place]
    return Reading(
        value=its.value,
        samples=worst.inside.rows,
        attributes=attributes,
        reference_samples=worst.outside.rows,
        lower=its.lower,
        upper=its.upper,
        evidence={
            "worst_segment": worst.segment,
            "inside": worst.inside.value,
            "outside": worst.outside.value,
            "segments": float(len(candidates)),
            "left_out": float(left_out),
        },
    )


SEGMENT_WORST: Final = Statistic(
    spec=MetricSpec(
        name="mlvitals.segment.worst",
        unit="{score}",
        brief="By how much the worst declared segment is worse than all other predictions, by metric.",
        layer=Layer.MODEL,
        stage=Stage.MATURITY,
        orientation=Orientation.LOWER,
        level=Export.STANDARD,
        attributes=("metric", "maturity"),
        minimum_samples=RATIO_ROWS,
    ),
    compute=_worst,
)
