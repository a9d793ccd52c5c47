"""What a report shows of each feature: where it comes from, how it stands, its charts and its distributions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mlvitals.report.charts import Chart, Charts, Line
from mlvitals.report.distribution import Distribution, Distributions
from mlvitals.report.episodes import Episode, against_normal, strength
from mlvitals.report.figures import Shape, strip
from mlvitals.report.frame import ABSENT, STATUSES, Codes, Frame, Series
from mlvitals.report.names import shown
from mlvitals.report.numbers import GRAVITY, attribute_words, brief_name, measured, worst
from mlvitals.report.reading import Row, decode_attributes
from mlvitals.report.whose import Origin, Whose
from mlvitals.signals.spec import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One line of a table of readings, spelled out."""

    signal: str
    attributes: str
    value: str
    interval: str
    noise: str
    threshold: str
    rows: int
    status: Status | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureCard:
    """One feature. status: in the window that could be judged last; None where nothing of it is judged."""

    name: str
    kind: str
    origin: Origin
    hidden: bool
    status: Status | None
    strip: Sequence[Shape]
    latest: str
    episodes: Sequence[Episode]
    charts: Sequence[Chart]
    distributions: Sequence[tuple[int, Distribution]]
    readings: Sequence[Reading]

    @property
    def moved(self) -> bool:
        """Whether it warned in any window."""
        return bool(self.episodes)


@dataclass(slots=True)
class FeatureCards:
    """Makes the cards of a model's features; the distributions are numbered as they are made."""

    frame: Frame
    whose: Whose
    charts: Charts
    distributions: Distributions
    all: list[Distribution]

    def make(self, episodes: Sequence[Episode]) -> list[FeatureCard]:
        """Return a card for each feature: those that warn now first, then those that moved furthest, then by name."""
        layouts = self.distributions.layouts()
        series = self.frame.by_feature()
        readings: dict[str, list[Row]] = {}
        for row in self.frame.readings:
            feature = decode_attributes(row.attributes).get("feature")
            if feature is not None and against_normal(row):
                readings.setdefault(feature, []).append(row)
        moved: dict[str, list[Episode]] = {}
        for one in episodes:
            if one.feature is not None:
                moved.setdefault(one.feature, []).append(one)
        names = sorted({*layouts, *series}, key=lambda name: (_urgency(moved.get(name, ())), name))
        return [
            self._card(
                name,
                layouts[name].kind.value if name in layouts else "no longer in the layout",
                series.get(name, []),
                readings.get(name, []),
                moved.get(name, []),
            )
            for name in names
        ]

    def _card(
        self, name: str, kind: str, series: Sequence[Series], rows: Sequence[Row], episodes: Sequence[Episode]
    ) -> FeatureCard:
        judged = {Status(row.status) for row in rows if row.threshold is not None}
        series = _drawn(series)
        charts = [self.charts.add(_title(one), [Line(name="", series=one)]) for one in series]
        return FeatureCard(
            name=shown(name),
            kind=kind,
            origin=self.whose.origin(name),
            hidden=self.whose.sensitive is None or name in self.whose.sensitive,
            status=worst(judged),
            strip=strip(_worst_codes(series, len(self.frame.windows))),
            latest=_latest(rows),
            episodes=episodes,
            charts=charts,
            distributions=list(self._distributions(name, episodes)),
            readings=[make_reading(row) for row in rows],
        )

    def _distributions(self, name: str, episodes: Sequence[Episode]) -> list[tuple[int, Distribution]]:
        newest = self.distributions.newest()
        wanted = [] if newest is None else [(newest, "Newest window with enough rows")]
        peak = max(episodes, key=lambda one: one.strength, default=None)
        if peak is not None and peak.peak_start != newest:
            wanted.insert(0, (peak.peak_start, "Window in which it moved furthest"))
        found = [self.distributions.of(name, start, title) for start, title in wanted]
        numbered = []
        for one in found:
            if one is not None:
                numbered.append((len(self.all), one))
                self.all.append(one)
        return numbered


def make_reading(row: Row) -> Reading:
    """Return a measurement spelled out."""
    spec = row.spec
    attributes: Mapping[str, str] = decode_attributes(row.attributes)
    interval = ""
    if row.lower is not None or row.upper is not None:
        interval = f"{measured(row.lower, spec.unit)} … {measured(row.upper, spec.unit)}"
    return Reading(
        signal=brief_name(spec),
        attributes=shown(attribute_words(attributes, ("feature",)))
        if len(attributes) > ("feature" in attributes)
        else "",
        value=measured(row.value, spec.unit),
        interval=interval,
        noise="" if row.noise is None else measured(row.noise, spec.unit),
        threshold="" if row.threshold is None else measured(row.threshold, spec.unit),
        rows=row.samples,
        status=Status(row.status) if row.threshold is not None or row.status != Status.OK.value else None,
    )


def _urgency(episodes: Sequence[Episode]) -> tuple[bool, float]:
    ongoing = any(one.ongoing for one in episodes)
    return not ongoing, -max((one.strength for one in episodes), default=0.0)


def _latest(rows: Sequence[Row]) -> str:
    """Return the reading that is nearest to its threshold, or past it."""
    judged = [row for row in rows if row.threshold is not None and row.value is not None]
    if not judged:
        return ""
    row = max(judged, key=strength)
    spec = row.spec
    return f"{brief_name(spec).removeprefix('feature.')} {measured(row.value, spec.unit)}"


def _drawn(series: Sequence[Series]) -> list[Series]:
    """Leave out how the shape changed where it is known how far the feature moved: categories only have a shape."""
    moved = any(one.spec.name.endswith("drift.location") and len(one.present) for one in series)
    return [one for one in series if len(one.present) and not (moved and one.spec.name.endswith("drift.shape"))]


def _title(series: Series) -> str:
    words = attribute_words(series.attributes, ("feature", "comparison"))
    return brief_name(series.spec).removeprefix("feature.") + (f" ({shown(words)})" if words else "")


def _worst_codes(series: Sequence[Series], windows: int) -> Codes:
    """Return the gravest status of each window among judged series."""
    ranks = np.array([GRAVITY.index(status) for status in STATUSES] + [len(GRAVITY)], dtype=np.int8)
    least = np.full(windows, len(GRAVITY), dtype=np.int8)
    for one in series:
        if np.isfinite(one.threshold).any():
            least = np.minimum(least, ranks[one.status])
    back = np.array([STATUSES.index(status) for status in GRAVITY] + [ABSENT], dtype=np.int8)
    return back[least]
