"""What every registered statistic keeps, whatever it is given: the battery that users hold their own against."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from mlvitals.contracts.evidence import layouts
from mlvitals.contracts.statistics import STATISTIC_DEMANDS, Demand
from mlvitals.signals.registry import DERIVED, REGISTRY, STATISTICS, names
from mlvitals.signals.rules import broken_rules, clash, is_ours
from mlvitals.signals.running import RUNNING
from mlvitals.signals.spec import Evidence, MetricSpec, Statistic

DOCUMENT = Path(__file__).parents[2] / "docs" / "signals.md"

every_statistic = pytest.mark.parametrize("statistic", STATISTICS, ids=[one.spec.name for one in STATISTICS])
every_spec = pytest.mark.parametrize("spec", REGISTRY.values(), ids=names())


@every_statistic
@pytest.mark.parametrize("demand", STATISTIC_DEMANDS, ids=[one.__name__ for one in STATISTIC_DEMANDS])
def test_a_statistic_keeps_its_contract(statistic: Statistic, demand: Demand):
    demand(statistic, layouts())


def test_names_are_unique():
    assert len(REGISTRY) == len(STATISTICS) + len(DERIVED) + len(RUNNING)


@every_spec
def test_what_the_metadata_says_follows_the_rules(spec: MetricSpec):
    assert list(broken_rules(spec)) == []
    assert is_ours(spec.name)


@every_spec
def test_no_name_is_the_namespace_of_another(spec: MetricSpec):
    assert clash(spec.name, [other for other in REGISTRY if other != spec.name]) is None


@every_spec
def test_the_document_has_a_section_for_every_signal(spec: MetricSpec):
    sections = re.findall(r"^### (.+)$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert any(f"`{spec.name}`" in section for section in sections)


@every_statistic
def test_an_empty_window_says_nothing_but_that_it_is_empty(statistic: Statistic, blank: Mapping[str, Evidence]):
    readings = [reading for evidence in blank.values() for reading in statistic.compute(evidence)]
    if statistic.spec.name in {"mlvitals.prediction.count", "mlvitals.prediction.rate", "mlvitals.request.count"}:
        assert {reading.value for reading in readings} == {0.0}
    else:
        assert readings == []
