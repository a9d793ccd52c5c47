"""The sentence at the top of each layer: what moved, since when, how sure; else that nothing did."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from mlvitals.clock import parse_duration
from mlvitals.report.episodes import Episode
from mlvitals.report.frame import Frame, Series
from mlvitals.report.names import shown
from mlvitals.report.numbers import measured, moment
from mlvitals.signals.share import LABEL_COVERAGE_RATIO
from mlvitals.signals.spec import Layer, Stage

_TOLD: Final = 3

QUESTIONS: Final = {
    Layer.PIPELINE: "Did the events come, in time and without errors?",
    Layer.DATA: "Are the features what they were?",
    Layer.MODEL: "Are the predictions what they were, and are they right?",
    Layer.LABEL: "Did the labels come?",
    Layer.VALUE: "What is it worth?",
}


def leads(layer: Layer, frame: Frame, episodes: Sequence[Episode]) -> list[str]:
    """Return the sentences that a layer begins with, the most important first."""
    mine = [one for one in episodes if one.layer is layer]
    found = [one.sentence for one in mine[:_TOLD]]
    if len(mine) > _TOLD:
        found.append(f"{len(mine) - _TOLD} more, weaker or over: see below.")
    if not found:
        found.append(_nothing(layer, frame))
    if layer is Layer.MODEL:
        found += _performance(frame)
    if layer is Layer.LABEL:
        found += _coverage(frame)
    return found


def _nothing(layer: Layer, frame: Frame) -> str:
    series = [one for one in frame.series.values() if one.spec.layer is layer and len(one.present)]
    judged = [one for one in series if np.isfinite(one.threshold).any()]
    windows = len(frame.windows)
    if not series and layer is Layer.VALUE:
        return (
            "Nothing was measured here in this period: what a mistake costs is told by `cost` in the model's "
            "configuration, and where it is not, the performance above is the nearest thing to it."
        )
    if not series:
        return "Nothing was measured here in this period."
    if not judged:
        return f"Nothing of this layer has a threshold, so nothing is judged: {_count(len(series), 'series')} shown."
    return (
        f"Nothing moved: in {_count(windows, 'window')} none of {_count(len(judged), 'judged series', plain=True)} "
        "reached its threshold."
    )


def _performance(frame: Frame) -> list[str]:
    """Say how good the oldest settled cohorts were; no threshold judges it, so the median stands beside it."""
    mature = (one for one in frame.series.values() if one.spec.stage is Stage.MATURITY)
    metrics = [one for one in mature if "metric" in one.attributes and "method" not in one.attributes]
    coverage = {one.attributes["maturity"]: one for one in frame.of(LABEL_COVERAGE_RATIO.spec.name)}
    if not metrics or not coverage:
        return ["How good the predictions were is not known: no label has been joined at a maturity."]
    name = metrics[0].attributes["metric"]
    age = max(coverage, key=parse_duration)
    one = next((one for one in metrics if one.attributes["metric"] == name and one.attributes["maturity"] == age), None)
    if one is None or not len(one.present):
        return []
    return [_told(f"{shown(name)} at {age}", one, coverage[age], frame)]


def _told(what: str, one: Series, coverage: Series, frame: Frame) -> str:
    enough = [place for place in one.present.tolist() if one.samples[place] >= one.spec.minimum_samples]
    places = enough or one.present.tolist()
    last, unit = places[-1], one.spec.unit
    values = one.value[places]
    far = places[int(np.argmax(np.abs(values - np.median(values))))]
    return (
        f"{what} was {measured(float(one.value[last]), unit)} for the cohort of {moment(frame.windows[last].start)} "
        f"({measured(float(coverage.value[last]), '1')} labelled); the median of {len(places)} cohorts is "
        f"{measured(float(np.median(values)), unit)}, the furthest from it {measured(float(one.value[far]), unit)} "
        f"({moment(frame.windows[far].start)})."
    )


def _coverage(frame: Frame) -> list[str]:
    found = frame.of(LABEL_COVERAGE_RATIO.spec.name)
    words = []
    for one in sorted(found, key=lambda one: parse_duration(one.attributes["maturity"])):
        if len(one.present):
            values = one.value[one.present]
            words.append(
                f"{one.attributes['maturity']} old, {measured(float(np.median(values)), '1')} "
                f"(from {measured(float(values.min()), '1')} to {measured(float(values.max()), '1')})"
            )
    return [f"Of a cohort's predictions the median share with a label is: {'; '.join(words)}."] if words else []


def _count(number: int, what: str, *, plain: bool = False) -> str:
    return f"{number:,} {what}" + ("" if plain or number == 1 or what.endswith("s") else "s")
