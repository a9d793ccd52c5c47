"""Which lines share a chart, and what a chart says in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mlvitals.clock import parse_duration
from mlvitals.report.frame import STATUSES, Frame, Series
from mlvitals.report.names import shown
from mlvitals.report.numbers import attribute_words, brief_name, measured, moment
from mlvitals.signals.spec import Export, Layer, MetricSpec, Stage, Status

_LINES_AT_MOST: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A series with the name that it has in its chart; `hidden` ones stand in the chart's table only."""

    name: str
    series: Series
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Lines over a model's windows. number: its place in the page's data. text: what one sees in it, in words."""

    number: int
    title: str
    brief: str
    unit: str
    text: str
    lines: Sequence[Line]


class Charts:
    """Makes the charts of a page and numbers them."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self.all: list[Chart] = []

    def add(self, title: str, lines: Sequence[Line]) -> Chart:
        """Return a new chart of lines that share a unit."""
        spec = lines[0].series.spec
        texts = [_say(line, self._frame) for line in lines if not line.hidden]
        chart = Chart(
            number=len(self.all),
            title=title,
            brief=spec.brief,
            unit=spec.unit,
            text=" ".join(texts),
            lines=lines,
        )
        self.all.append(chart)
        return chart

    def of_layer(self, layer: Layer) -> list[Chart]:
        """Return the charts of a layer's signals, features left out, in the order of the specs.

        Metrics and methods are measured on scales of their own, so each has its chart (but methods of one metric share
        its chart); of the methods that one is drawn that is judged. With what rests on labels stands how many labels
        there were.
        """
        made = []
        for name, spec in self._frame.specs.items():
            if spec.layer is layer and "feature" not in spec.attributes:
                for key, series in _parted(spec, self._frame.of(name)).items():
                    made.append(self.add(brief_name(spec) + key, self._lines(spec, series)))
        return made

    def _lines(self, spec: MetricSpec, series: Sequence[Series]) -> list[Line]:
        drawn = sorted(series, key=lambda one: -float(np.nansum(np.abs(one.value))))[:_LINES_AT_MOST]
        kept = sorted((one for one in series if any(one is other for other in drawn)), key=_age)
        lines = [Line(name=_name(one.attributes), series=one) for one in kept]
        if spec.stage is Stage.MATURITY and "metric" in spec.attributes:
            ages = {one.attributes.get("maturity") for one in series}
            lines += [
                Line(name=f"labelled, {_name(one.attributes)}", series=one, hidden=True)
                for other in self._frame.specs.values()
                if other.layer is Layer.LABEL and other.unit == "1" and other.stage is Stage.MATURITY
                for one in sorted(self._frame.of(other.name), key=_age)
                if one.attributes.get("maturity") in ages
            ]
        return lines


def _say(line: Line, frame: Frame) -> str:
    """Return what one sees of a line: where it ends, how far it went; of windows with enough rows, if there are any."""
    one, unit = line.series, line.series.spec.unit
    present = one.present
    enough = present[one.status[present] != _INSUFFICIENT]
    places = enough if len(enough) else present
    if not len(places):
        return f"{line.name}: no value."
    values = one.value[places]
    last, low, high = int(places[-1]), int(places[values.argmin()]), int(places[values.argmax()])

    def told(place: int) -> str:
        return measured(float(one.value[place]), unit)

    start = [moment(window.start) for window in frame.windows]
    text = f"{line.name}: " if line.name else ""
    text += f"{told(last)} in the window of {start[last]}"
    if told(low) != told(high):
        text += f"; lowest {told(low)} ({start[low]}), highest {told(high)} ({start[high]})"
    if np.isfinite(one.threshold).any():
        warned = int(np.isin(one.status, _WARNS).sum())
        text += f"; {warned} of {len(places)} windows warn" if warned else f"; none of {len(places)} windows warns"
    return text + "."


_INSUFFICIENT: Final = STATUSES.index(Status.INSUFFICIENT_DATA)
_WARNS: Final = [code for code, status in enumerate(STATUSES) if status in {Status.WARNING, Status.ALERT}]


def _parted(spec: MetricSpec, series: Sequence[Series]) -> dict[str, list[Series]]:
    """Return a signal's series by what has a chart of its own.

    The methods of one metric share its chart, where any of them leaves at the least export level; others stand in the
    documents alone.
    """
    parted: dict[str, list[Series]] = {}
    if {"metric", "method"} <= set(spec.attributes):
        held = [one for one in series if len(one.present)]
        lean = {one.attributes["metric"] for one in held if spec.level_of(one.attributes, Status.OK) is Export.LEAN}
        for one in held:
            if one.attributes["metric"] in lean:
                parted.setdefault(f" ({one.attributes['metric']})", []).append(one)
        return parted
    judged = [one for one in series if np.isfinite(one.threshold).any()]
    for one in judged if judged and "method" in spec.attributes else series:
        method, metric = one.attributes.get("method"), one.attributes.get("metric")
        if not len(one.present):
            continue
        key = "".join(f" ({part})" for part in (metric, method) if part is not None)
        parted.setdefault(key, []).append(one)
    return parted


def _name(attributes: Mapping[str, str]) -> str:
    without = ("metric", "feature") if "metric" in attributes else ("method", "feature")
    return shown(attribute_words(attributes, without)) if attributes else ""


def _age(series: Series) -> int:
    """Return the maturity of a series in microseconds, 0 where it has none."""
    return parse_duration(series.attributes.get("maturity", "0s"))
