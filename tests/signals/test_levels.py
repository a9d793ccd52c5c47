"""How many series a model with thirty features has at each export level, as the document says."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from mlvitals.decisions.thresholds import judge
from mlvitals.signals.measure import derive, measure
from mlvitals.signals.measurement import Measurement
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import DetectorState, Evidence, Export, MetricSpec, Reading, Stage, Status
from mlvitals.windows.bins import CategoryBins, NumericBins
from mlvitals.windows.layout import FeatureLayout, Kind, Layout

DOCUMENT = Path(__file__).parents[2] / "docs" / "signals.md"
FEATURES = 30


@pytest.fixture(scope="module")
def told(layouts, fill) -> list[Measurement]:
    """All that is measured of a binary model with 24 numbers and 6 categories, one maturity, two features moved."""
    numbers = [FeatureLayout(f"n{i}", Kind.NUMERIC, NumericBins((0.0, 10.0, 20.0, 30.0, 50.0))) for i in range(24)]
    categories = [FeatureLayout(f"c{i}", Kind.CATEGORICAL, CategoryBins(("web", "app"), own=2)) for i in range(6)]
    layout = Layout(features=(*numbers, *categories), output=layouts["binary"].output)
    generator = np.random.default_rng(1)

    def summary(rows: int, moved: int):
        served: dict[str, npt.ArrayLike] = {"predictions": rows, "errors": 1}
        served |= {"class": [rows // 2, rows - rows // 2, 0, 0, 0]}
        for name, part in layout.served_sections.items():
            if name.startswith("features.") or name == "score":
                width = part.stop - part.start - 3
                shares = np.full(width, 1.0 / width)
                served[name] = [*generator.multinomial(rows, shares), 0, 0, 0]
        for feature in layout.features[:moved]:
            served[feature.column] = [0, rows, 0, 0, 0, 0, 0, 0, 0]
        for name in ("latency", "lag"):
            part = layout.served_sections[name]
            served[name] = np.bincount([500] * rows, minlength=part.stop - part.start)
        outcomes = {
            name: np.ones(part.stop - part.start, np.int64)
            for name, part in layout.outcome_sections.items()
            if part.stop - part.start < 20
        }
        return fill(layout, served, [{**outcomes, "labelled": 100, "measured": 100}])

    window, usual = summary(2_000, moved=2), summary(50_000, moved=0)
    detectors = tuple(
        DetectorState(name, subject, 6.0 if subject in {"n0", "n1"} else 0.0, 5.0, status, {})
        for name, subjects in {
            **dict.fromkeys(("volume", "errors", "features", "prediction"), ("",)),
            "feature": [feature.name for feature in layout.features],
            **dict.fromkeys(("coverage", "performance"), ("7d",)),
        }.items()
        for subject in subjects
        for status in (Status.ALERT if subject in {"n0", "n1"} else Status.OK,)
    )
    evidence = Evidence(
        current=window,
        reference=usual,
        training=usual,
        previous=usual,
        others=usual,
        seconds=3600.0,
        detectors=detectors,
    )
    cohort = Evidence(current=window, outcome=window.outcome(0), maturity="7d", detectors=detectors)
    judged = [_judged(*one) for one in measure(evidence, Stage.WINDOW)]
    judged += [_judged(*one) for one in derive(judged)]
    return judged + [_judged(*one) for one in measure(cohort, Stage.MATURITY)]


def _judged(spec: MetricSpec, reading: Reading) -> Measurement:
    status, threshold = judge(spec, reading)[:2]
    return Measurement(
        signal=spec.name,
        value=reading.value,
        unit=spec.unit,
        model="m",
        model_version="1",
        environment="prod",
        window_start="",
        window_end="",
        attributes=reading.attributes,
        samples=reading.samples,
        reference_samples=reading.reference_samples,
        lower=reading.lower,
        upper=reading.upper,
        status=status,
        threshold=threshold,
        evidence=reading.evidence,
        revision=0,
        reference_hash=None,
    )


def _series(told: list[Measurement], level: Export) -> Iterator[tuple[str, ...]]:
    ranks = list(Export)
    for one in told:
        if ranks.index(REGISTRY[one.signal].level_of(one.attributes, one.status)) <= ranks.index(level):
            yield one.identity
            if level is Export.FULL:
                yield from ((*one.identity, bound) for bound in ("lower", "upper") if getattr(one, bound) is not None)


def test_the_series_of_each_level_are_as_many_as_the_document_says(told):
    rows = dict(
        re.findall(r"^\| (lean|standard|full) \| ([\d ]+) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    )
    found = {level.value: len(set(_series(told, level))) for level in Export}
    assert {level: int(count.replace(" ", "")) for level, count in rows.items()} == found


def test_lean_is_tens_of_series_and_grows_with_what_moved_alone(told):
    lean = set(_series(told, Export.LEAN))
    assert len(lean) < 100
    moved = {one.attributes["feature"] for one in told if "feature" in one.attributes and one.identity in lean}
    assert moved == {"n0", "n1"}


def test_a_level_holds_what_the_one_below_holds(told):
    lean, standard, full = (set(_series(told, level)) for level in Export)
    assert lean < standard < full


def test_what_is_there_to_be_read_beside_leaves_at_full_only(told):
    beside = [one for one in told if one.attributes.get("comparison") in {"previous", "version"}]
    assert beside
    assert {REGISTRY[one.signal].level_of(one.attributes, one.status) for one in beside} == {Export.FULL}
    assert {one.status for one in beside} == {Status.OK}


def test_what_is_there_to_be_read_beside_is_read_by_psi_alone(told):
    methods = {
        comparison: {
            one.attributes["method"]
            for one in told
            if one.signal.endswith("drift.score") and one.attributes["comparison"] == comparison
        }
        for comparison in ("operating", "previous", "version")
    }
    assert methods["previous"] == methods["version"] == {"psi"}
    assert len(methods["operating"]) == 8
