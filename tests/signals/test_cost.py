"""What mistakes cost, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from mlvitals.contracts.evidence import Parts, exact_cells, fill, layouts
from mlvitals.signals.at_risk import COST_AT_RISK
from mlvitals.signals.cost import COST_BEST_THRESHOLD, COST_PER_PREDICTION, COST_REGRET, COST_TOTAL
from mlvitals.signals.cost_terms import CostTerms, Term
from mlvitals.signals.spec import Evidence

BINARY, REGRESSION = layouts()["binary"], layouts()["regression"]
FLAT = CostTerms(currency="EUR", false_negative=Term(each=10.0), false_positive=Term(each=2.0))
# Labels in the seven score bins, of which those from 0.5 on were acted on: 4 misses and 3 false alarms.
NEGATIVES, POSITIVES = [20, 10, 2, 1, 0, 0, 0], [1, 3, 0, 0, 2, 4, 0]
SPECIALS = [0, 0, 0]
OUTCOME = {
    "labelled": 43,
    "confusion": [30, 4, 0, 3, 6, 0, 0, 0, 0],
    "negatives": NEGATIVES + SPECIALS,
    "positives": POSITIVES + SPECIALS,
}


def evidence(layout, outcome, costs, served=None):
    current = fill(layout, {"predictions": 86, "errors": 4, **(served or {})}, [outcome])
    return Evidence(current=current, outcome=current.outcome(0), maturity="7d", costs=costs, seconds=43_200.0)


def only(statistic, given):
    (reading,) = statistic.compute(given)
    return reading


def test_mistakes_cost_their_price_and_reviews_and_failed_requests_theirs():
    costs = replace(FLAT, review=0.5, failed_request=0.25)
    given = evidence(BINARY, OUTCOME, costs, {"class": [70, 16, 0, 0, 0]})
    total = only(COST_TOTAL, given)
    assert total.value == 4 * 10 + 3 * 2 + 16 * 0.5 + 4 * 0.25
    assert dict(total.attributes) == {"maturity": "7d", "currency": "EUR"}
    assert (total.evidence["false_negative"], total.evidence["review"], total.evidence["downtime"]) == (40.0, 8.0, 1.0)
    spread = 1.96 * np.sqrt(4 * 100 + 3 * 4 + 16 * 0.25 + 4 * 0.0625)
    assert total.upper - total.value == pytest.approx(spread, rel=1e-3)
    assert only(COST_PER_PREDICTION, given).value == pytest.approx(46 / 43 + 9 / 86)


def test_the_best_threshold_is_where_the_least_is_paid():
    given = evidence(BINARY, OUTCOME, FLAT)
    best = only(COST_BEST_THRESHOLD, given)
    # From 0.1 on: one miss, thirteen false alarms, 36; from just above 0.5 on: four misses and none, 40.
    assert best.value == pytest.approx(0.1)
    regret = only(COST_REGRET, given)
    assert (regret.evidence["paid"], regret.evidence["at_best"], regret.value) == (46.0, 36.0, 10.0)


def test_labels_without_a_score_have_no_best_threshold():
    unscored = OUTCOME | {"negatives": [19, *NEGATIVES[1:], 1, 0, 0]}
    assert not list(COST_REGRET.compute(evidence(BINARY, unscored, FLAT)))
    assert only(COST_TOTAL, evidence(BINARY, unscored, FLAT)).value == 46.0


def test_being_above_and_below_the_truth_have_prices_of_their_own():
    errors = np.array([3.0, 1.0, -2.5])
    outcome = {
        "labelled": 3,
        "measured": 3,
        "absolute": exact_cells(np.abs(errors)),
        "signed": exact_cells(errors),
        "squared": exact_cells(errors**2),
    }
    total = only(COST_TOTAL, evidence(REGRESSION, outcome, CostTerms(currency="USD", over=1.0, under=4.0)))
    assert (total.evidence["over"], total.evidence["under"], total.value) == (4.0, 10.0, 14.0)
    assert total.upper - total.value == pytest.approx(1.96 * 4 * np.sqrt(16.25), rel=1e-3)


def test_without_prices_or_labels_nothing_is_told():
    assert not list(COST_TOTAL.compute(evidence(BINARY, OUTCOME, None)))
    assert not list(COST_TOTAL.compute(evidence(BINARY, {}, FLAT)))
    assert not list(COST_TOTAL.compute(evidence(REGRESSION, {"labelled": 3}, FLAT)))


def test_what_is_at_risk_follows_from_the_chances_of_the_reference():
    # In the reference a tenth below 0.1 and nine tenths above 0.9 were positive.
    labels = {"negatives": [90, 0, 0, 0, 0, 0, 10, *SPECIALS], "positives": [10, 0, 0, 0, 0, 0, 90, *SPECIALS]}
    reference = fill(BINARY, {"predictions": 200}, [{"labelled": 200, **labels}])
    served: Parts = {
        "predictions": 60,
        "score": [40, 0, 0, 0, 0, 0, 20, 0, 0, 0],
        "positive_score": [0, 0, 0, 0, 0, 0, 20],
    }
    current = fill(BINARY, served, [{}])
    given = Evidence(current=current, reference=reference, costs=FLAT, seconds=43_200.0)
    risk = only(COST_AT_RISK, given)
    assert risk.value == pytest.approx(40 * 0.1 * 10 + 20 * 0.1 * 2)
    assert risk.evidence["per_day"] == pytest.approx(2 * risk.value)
    assert risk.lower < risk.value < risk.upper
