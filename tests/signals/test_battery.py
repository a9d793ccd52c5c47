"""What every registered statistic keeps, whatever it is given."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import isfinite
from pathlib import Path

import pytest

from mlvitals.signals.registry import DERIVED, REGISTRY, STATISTICS, names
from mlvitals.signals.spec import Evidence, MetricSpec, Reading, Stage, Statistic
from mlvitals.windows.layout import Layout
from mlvitals.windows.summary import Summary

ABOUT_THE_MODEL = {"model", "model_version", "environment"}
SHARED_ATTRIBUTES = {"feature", "method", "comparison", "segment", "class", "quantile", "maturity", "metric", "family"}
DOCUMENT = Path(__file__).parents[2] / "docs" / "signals.md"

every_statistic = pytest.mark.parametrize("statistic", STATISTICS, ids=[one.spec.name for one in STATISTICS])
every_spec = pytest.mark.parametrize("spec", REGISTRY.values(), ids=names())


def read(statistic: Statistic, evidence: Evidence) -> list[Reading]:
    return list(statistic.compute(evidence))


def everything(statistic: Statistic, situations: Mapping[str, Evidence]) -> Iterator[tuple[str, Reading]]:
    for name, evidence in situations.items():
        for reading in statistic.compute(evidence):
            yield name, reading


def key(reading: Reading) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(reading.attributes.items()))


def test_names_are_unique():
    assert len(REGISTRY) == len(STATISTICS) + len(DERIVED)


@every_spec
def test_a_name_follows_the_rules_of_opentelemetry(spec: MetricSpec):
    assert re.fullmatch(r"mlvitals(\.[a-z][a-z0-9]*(_[a-z0-9]+)*){2,}", spec.name)
    assert len(spec.name) <= 255
    assert not re.search(r"_(total|seconds|ratio|count)$|(^|[._])(s|ms|seconds)([._]|$)", spec.name)


@every_spec
def test_no_name_is_the_namespace_of_another(spec: MetricSpec):
    assert not any(other.startswith(spec.name + ".") for other in REGISTRY)


@every_spec
def test_a_ratio_has_unit_one_and_everything_else_has_a_thing_or_seconds(spec: MetricSpec):
    assert (spec.unit == "1") is spec.name.endswith(".ratio")
    assert re.fullmatch(r"1|s|\{[a-z]+\}(/s)?", spec.unit)


@every_spec
def test_attributes_are_declared_by_their_shared_short_names(spec: MetricSpec):
    assert set(spec.attributes) <= SHARED_ATTRIBUTES
    assert len(set(spec.attributes)) == len(spec.attributes)


@every_spec
def test_a_signal_known_at_maturity_says_which(spec: MetricSpec):
    assert (spec.stage is Stage.MATURITY) is ("maturity" in spec.attributes)


@every_spec
def test_a_brief_is_one_sentence(spec: MetricSpec):
    assert re.fullmatch(r"[A-Z][^|\n]+\.", spec.brief)


@every_spec
def test_the_document_has_a_section_for_every_signal(spec: MetricSpec):
    sections = re.findall(r"^### (.+)$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert any(f"`{spec.name}`" in section for section in sections)


@every_statistic
def test_readings_carry_exactly_the_declared_attributes(statistic: Statistic, usual: Mapping[str, Evidence]):
    readings = [reading for evidence in usual.values() for reading in read(statistic, evidence)]
    assert readings, "a statistic that reads nothing from an ordinary window proves nothing"
    for reading in readings:
        assert set(reading.attributes) == set(statistic.spec.attributes)
        assert not set(reading.attributes) & ABOUT_THE_MODEL
        assert all(isinstance(value, str) and value for value in reading.attributes.values())


@every_statistic
def test_no_two_readings_share_their_attributes(statistic: Statistic, usual: Mapping[str, Evidence]):
    for evidence in usual.values():
        keys = [key(reading) for reading in read(statistic, evidence)]
        assert len(set(keys)) == len(keys)


@every_statistic
def test_the_same_evidence_gives_the_same_readings_in_the_same_order(
    statistic: Statistic, situations: Mapping[str, Evidence]
):
    for name, evidence in situations.items():
        assert read(statistic, evidence) == read(statistic, evidence), name


@every_statistic
def test_nothing_is_ever_infinite_or_not_a_number(statistic: Statistic, situations: Mapping[str, Evidence]):
    for name, reading in everything(statistic, situations):
        numbers = [reading.value, reading.lower, reading.upper, reading.noise, *reading.evidence.values()]
        assert all(type(number) in (float, str, type(None)) for number in numbers), name
        assert all(isfinite(number) for number in numbers if isinstance(number, float)), name


@every_statistic
def test_a_value_lies_between_its_bounds(statistic: Statistic, situations: Mapping[str, Evidence]):
    for name, reading in everything(statistic, situations):
        assert reading.lower is None or reading.lower <= reading.value, name
        assert reading.upper is None or reading.value <= reading.upper, name
        assert reading.noise is None or reading.noise >= 0, name


@every_statistic
def test_a_ratio_lies_between_zero_and_one(statistic: Statistic, situations: Mapping[str, Evidence]):
    for name, reading in everything(statistic, situations):
        assert statistic.spec.unit != "1" or 0 <= reading.value <= 1, name


@every_statistic
def test_an_empty_window_says_nothing_but_that_it_is_empty(statistic: Statistic, blank: Mapping[str, Evidence]):
    readings = [reading for evidence in blank.values() for reading in read(statistic, evidence)]
    if statistic.spec.name in {"mlvitals.prediction.count", "mlvitals.prediction.rate", "mlvitals.request.count"}:
        assert {reading.value for reading in readings} == {0.0}
    else:
        assert readings == []


@every_statistic
def test_evidence_is_left_as_it_was(statistic: Statistic, usual: Mapping[str, Evidence]):
    for evidence in usual.values():
        served, outcomes = evidence.current.served.copy(), evidence.current.outcomes.copy()
        read(statistic, evidence)
        assert (evidence.current.served == served).all()
        assert (evidence.current.outcomes == outcomes).all()


@every_statistic
def test_the_order_of_the_features_does_not_matter(statistic: Statistic, usual: Mapping[str, Evidence]):
    for evidence in usual.values():
        assert evidence.reference is not None
        turned_reference = _turn(evidence.reference)
        turned = replace(
            evidence, current=_turn(evidence.current), reference=turned_reference, training=turned_reference
        )
        assert sorted(read(statistic, turned), key=key) == sorted(read(statistic, evidence), key=key)


def _turn(summary: Summary) -> Summary:
    """Return the same counts under a layout that lists the features backwards."""
    old = summary.layout
    new = Layout(features=old.features[::-1], output=old.output, segments=old.segments)
    turned = Summary(new, summary.served.copy(), summary.outcomes)
    for name, part in new.served_sections.items():
        turned.served[part] = summary.served[old.served_sections[name]]
    return turned
