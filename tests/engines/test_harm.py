"""What an incident costs a day, of windows and cohorts whose cost is known."""

from dataclasses import replace

import pytest

from mlvitals.contracts.evidence import blank, layouts, usual
from mlvitals.decisions.episode import Happening, Harm, What
from mlvitals.decisions.finding import Detector, Finding, Source
from mlvitals.engines.harm import expected_harm, known_harm, outage_harm, with_harm
from mlvitals.signals.at_risk import COST_AT_RISK
from mlvitals.signals.cost import COST_TOTAL
from mlvitals.signals.cost_terms import CostTerms

BINARY = usual(layouts()["binary"])  # an hour
EXPECTED, KNOWN = Harm(currency="EUR", per_day=2.0, usual=1.0), Harm(currency="EUR", per_day=3.0, coverage=0.5)


def happening(what, detector):
    finding = Finding(
        source=Source("m", "1", detector, ""),
        component="rate",
        start=0,
        end=1,
        onset=0,
        effect=1.0,
        lower=1.0,
        upper=1.0,
        unit="{sd}",
        evidence=5.0,
        bar=4.0,
    )
    return Happening(what=what, model="m", time=1, finding=finding)


def test_versions_that_serve_together_cost_together_and_so_does_what_is_usual():
    (reading,) = COST_AT_RISK.compute(BINARY)
    found = expected_harm([BINARY, BINARY])
    assert found is not None
    assert found.per_day == pytest.approx(2 * 24 * reading.value)
    assert found.per_day == pytest.approx(2 * float(reading.evidence["per_day"]))
    assert found.usual == pytest.approx(2 * 24 * float(reading.evidence["usual"]))
    assert found.coverage is None


def test_what_was_as_ever_costs_what_is_usual():
    assert BINARY.reference is not None
    found = expected_harm([replace(BINARY, current=BINARY.reference)])
    assert found is not None
    assert found.per_day == pytest.approx(found.usual)


def test_what_labels_have_shown_is_told_with_how_many_there_are():
    (reading,) = COST_TOTAL.compute(BINARY)
    assert known_harm(BINARY) == Harm(currency="EUR", per_day=24 * reading.value, coverage=0.5)


def test_a_day_without_any_prediction_costs_its_hours():
    assert outage_harm(CostTerms(currency="EUR", silent_hour=50.0)) == Harm(currency="EUR", per_day=1200.0, usual=0.0)
    assert outage_harm(CostTerms(currency="EUR", failed_request=1.0)) is None


def test_without_rows_or_a_price_nothing_is_told():
    empty = blank(layouts()["binary"])
    assert expected_harm([]) is expected_harm([empty]) is expected_harm([replace(BINARY, costs=None)]) is None
    assert known_harm(empty) is known_harm(replace(BINARY, costs=None)) is None


@pytest.mark.parametrize(
    ("detector", "harm"),
    [(Detector.PERFORMANCE, KNOWN), (Detector.COVERAGE, EXPECTED), (Detector.FEATURE, EXPECTED)],
)
def test_a_page_tells_what_its_detector_can_know_and_what_does_not_page_tells_nothing(detector, harm):
    told = [happening(what, detector) for what in (What.OPENED, What.REPEATED, What.JOINED, What.SILENCED)]
    found = with_harm(told, lambda: EXPECTED, lambda: KNOWN)
    assert [one.harm for one in found] == [harm, harm, None, None]
