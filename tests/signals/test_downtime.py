"""What it costs not to serve, by hand."""

from dataclasses import replace

import pytest

from mlvitals.contracts.evidence import fill, layouts
from mlvitals.signals.cost_terms import CostTerms
from mlvitals.signals.downtime import COST_DOWNTIME
from mlvitals.signals.spec import Evidence, Volume

TERMS = CostTerms(currency="EUR", failed_request=0.25, silent_hour=100.0)
USUAL = Volume(expected=40.0, noise=6.0, windows=8)


def evidence(served=None, *, terms=TERMS, silence=0.0, volume=USUAL):
    current = fill(layouts()["binary"], served or {})
    return Evidence(current=current, seconds=1_800.0, volume=volume, silence=silence, costs=terms)


def only(given):
    (reading,) = COST_DOWNTIME.compute(given)
    return reading


def test_failed_requests_and_silent_time_have_prices_of_their_own():
    reading = only(evidence({"errors": 8}, silence=0.5))
    assert reading.value == 8 * 0.25 + 0.25 * 100
    assert reading.evidence == {"failed_requests": 2.0, "silence": 25.0, "hours": 0.25}
    assert (reading.samples, reading.attributes) == (8, {"currency": "EUR"})


def test_a_window_that_served_costs_what_failed_in_it():
    assert only(evidence({"predictions": 40, "errors": 2})).value == 0.5
    assert only(evidence({"predictions": 40})).value == 0.0
    unknown = evidence({"predictions": 40, "errors": 2}, volume=None)
    assert only(unknown).value == 0.5


@pytest.mark.parametrize(
    "volume",
    [
        Volume(expected=9.0, noise=3.0, windows=8),  # few
        Volume(expected=40.0, noise=200.0, windows=8),  # many, or none: who knows
    ],
)
def test_silence_that_may_be_chance_costs_nothing(volume):
    assert only(evidence(silence=1.0, volume=volume)).value == 0.0


def test_silence_of_which_nobody_knows_whether_it_is_usual_is_not_priced():
    assert not [*COST_DOWNTIME.compute(evidence(silence=1.0, volume=None))]
    by_request = replace(TERMS, silent_hour=0.0)
    reading = only(evidence({"errors": 4}, terms=by_request, silence=1.0, volume=None))
    assert (reading.value, dict(reading.evidence)) == (1.0, {"failed_requests": 1.0})


def test_without_a_price_nothing_is_told():
    plain = replace(TERMS, failed_request=0.0, silent_hour=0.0)
    for terms in (None, plain):
        assert not [*COST_DOWNTIME.compute(evidence({"errors": 8}, terms=terms))]
