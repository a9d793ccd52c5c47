"""What moved: measurements that warn, gathered into episodes of neighbouring windows about one thing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from mlvitals.decisions.thresholds import NOISE_FACTOR
from mlvitals.report.frame import Frame
from mlvitals.report.names import shown
from mlvitals.report.numbers import attribute_words, brief_name, measured, moment
from mlvitals.report.reading import Mark, Row, decode_attributes
from mlvitals.signals.comparison import Comparison
from mlvitals.signals.spec import Export, Layer, MetricSpec, Orientation

_LEVELS: Final = tuple(Export)  # lean first


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A stretch of windows in which something warned.

    what: the feature, or the signal. feature: its name, None where it is no feature. first, last: starts of windows.
    windows: how many warned. peak: the effect (else the score) that went furthest past its threshold, at `peak_start`.
    strength: how far from normal anything of it went, as a multiple of its threshold's distance. ongoing: the newest
    window warns.
    """

    layer: Layer
    what: str
    feature: str | None
    first: int
    last: int
    windows: int
    peak: Row
    peak_start: int
    strength: float
    ongoing: bool

    @property
    def spec(self) -> MetricSpec:
        """The signal of the peak."""
        return self.peak.spec

    @property
    def since(self) -> str:
        """When: the first window, and the last where that is another one."""
        if self.ongoing:
            return f"since {moment(self.first)}"
        if self.windows == 1:
            return f"in the window of {moment(self.first)}"
        return f"from {moment(self.first)} to {moment(self.last)}, {self.windows} windows"

    @property
    def sentence(self) -> str:
        """What moved, since when, how sure."""
        row, unit = self.peak, self.spec.unit
        attributes = attribute_words(decode_attributes(row.attributes), ("feature", "comparison", "segment"))
        of = f" ({shown(attributes)})" if attributes else ""
        text = (
            f"{shown(self.what)} {'has moved' if self.ongoing else 'moved'} {self.since}: "
            f"{brief_name(self.spec)}{of} reached {measured(row.value, unit)}"
        )
        if self.windows > 1:
            text += f" on {moment(self.peak_start)}"
        if row.threshold is not None and self.spec.warning is None:
            text += f", where it {self.spec.crossing} from {measured(row.threshold, unit)}"
        elif row.threshold is not None:
            text += f", {strength(row):.3g} times as far from normal as it warns from ({measured(row.threshold, unit)})"
        if row.noise:
            text += f"; its standard error without change is {measured(row.noise, unit)}"
        return text + f"; {row.samples:,} rows."


def strength(row: Row) -> float:
    """Return how far a value is from what is normal, as a multiple of its threshold's distance; 0 without threshold.

    Where a threshold follows from what is usual at that time, how far it was passed is taken in multiples of itself.
    """
    spec = row.spec
    if row.value is None or row.threshold is None:
        return 0.0
    if spec.warning is None:
        return 1 + abs(row.value - row.threshold) / (abs(row.threshold) or 1.0)
    excess = spec.warning + NOISE_FACTOR * (row.noise or 0.0)
    match spec.orientation:
        case Orientation.NEITHER:
            distance = abs(row.value)
        case Orientation.LOWER:
            distance = row.value - (row.threshold - excess)
        case Orientation.HIGHER:
            distance = row.threshold + excess - row.value
    return distance / excess if excess > 0 else 0.0


def against_normal(row: Row) -> bool:
    """Tell whether a row is held against a reference, or against nothing; not the window before or other versions."""
    compared = decode_attributes(row.attributes).get("comparison")
    return compared in {None, Comparison.OPERATING.value, Comparison.TRAINING.value}


def find_episodes(marks: Iterable[Mark], frame: Frame) -> list[Episode]:
    """Return the episodes of a frame's windows, ongoing ones first, then the strongest.

    A feature is one thing, however many of its signals warn; what sums up other signals would only repeat them. What is
    held against the window before, or against other versions, counts where nothing else of the feature warns.
    """
    gathered: dict[tuple[Layer, str, str | None], dict[int, list[Row]]] = {}
    for mark in marks:
        spec, place = mark.row.spec, frame.place(mark.start)
        if place is None:
            continue
        attributes = decode_attributes(mark.row.attributes)
        feature = attributes.get("feature")
        if mark.row.threshold is None or (feature is None and spec.layer is Layer.DATA):
            continue
        what = _what(spec, attributes)
        gathered.setdefault((spec.layer, what, feature), {}).setdefault(place, []).append(mark.row)
    found = [
        _episode(key, run, frame, len(frame.windows) - 1) for key, places in gathered.items() for run in _runs(places)
    ]
    return sorted(found, key=lambda one: (not one.ongoing, -one.strength, one.first, one.what))


def _what(spec: MetricSpec, attributes: Mapping[str, str]) -> str:
    segment = f" where {attributes['segment']}" if "segment" in attributes else ""
    if "feature" in attributes:
        return attributes["feature"] + segment
    rest = attribute_words(attributes, ("method", "comparison", "segment", "maturity", "quantile"))
    return brief_name(spec) + (f" of {rest}" if rest else "") + segment


def _runs(places: Mapping[int, list[Row]]) -> list[dict[int, list[Row]]]:
    runs: list[dict[int, list[Row]]] = []
    for place in sorted(places):
        if not runs or place - 1 not in runs[-1]:
            runs.append({})
        runs[-1][place] = places[place]
    return runs


def _episode(key: tuple[Layer, str, str | None], run: Mapping[int, list[Row]], frame: Frame, newest: int) -> Episode:
    layer, what, feature = key
    rows = [(place, row) for place, found in run.items() for row in found]
    place, peak = max(rows, key=lambda one: (against_normal(one[1]), _headline(one[1]), strength(one[1])))
    return Episode(
        layer=layer,
        what=what,
        feature=feature,
        first=frame.windows[min(run)].start,
        last=frame.windows[max(run)].start,
        windows=len(run),
        peak=peak,
        peak_start=frame.windows[place].start,
        strength=max(strength(row) for _, row in rows),
        ongoing=newest in run,
    )


def _headline(row: Row) -> tuple[int, bool]:
    """Rank effects, which people understand and which are exported first, before what a level adds; drift first."""
    spec = row.spec
    return -_LEVELS.index(spec.level), "comparison" in spec.attributes
