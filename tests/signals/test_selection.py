"""What missing labels leave open, against every way in which they could come out."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.signals.confusion import binary_scores
from mlvitals.signals.performance import PERFORMANCE_ERROR, PERFORMANCE_SCORE
from mlvitals.signals.selection import Decided, bounds, decided

METRICS = {"accuracy", "precision", "recall", "specificity", "f1"}
few = st.integers(0, 4)


def completions(cohort):
    """Yield what each way in which the missing labels could come out is worth, by metric."""
    missing = np.array(cohort.served) - cohort.labelled.sum(axis=1)
    for positives in product(*(range(count + 1) for count in missing)):
        full = cohort.labelled + np.stack([missing - positives, positives], axis=1)
        yield {one.metric: one.value for one in binary_scores(full) if one.metric in METRICS}


@given(st.tuples(few, few, few, few), st.tuples(few, few))
def test_the_bounds_are_the_least_and_the_greatest_of_all_that_can_still_come(labelled, missing):
    cells = np.array(labelled).reshape(2, 2)
    cohort = Decided(tuple((cells.sum(axis=1) + missing).tolist()), cells)
    if not sum(cohort.served):
        return
    possible = list(completions(cohort))
    found = bounds(cohort)
    assert set(found) == set().union(*possible)
    for metric, (worst, best) in found.items():
        values = [one[metric] for one in possible if metric in one]
        assert worst == pytest.approx(min(values), abs=1e-15), metric
        assert best == pytest.approx(max(values), abs=1e-15), metric
    for one in binary_scores(cells):  # what the labelled ones alone say
        if one.metric in METRICS:
            assert found[one.metric][0] - 1e-15 <= one.value <= found[one.metric][1] + 1e-15


@pytest.fixture
def evidence_of(layouts, fill, usual):
    """Make the evidence of a cohort: predictions of no class, negative and positive ones; and its confusion cells."""

    def make(undecided, negative, positive, cells):
        layout = layouts["binary"]
        served = {"predictions": undecided + negative + positive, "class": [negative, positive, undecided, 0, 0]}
        tn, fn, fp, tp = cells
        outcome = {"confusion": [tn, fn, 0, fp, tp, 0, 0, 0, 0], "labelled": sum(cells)}
        current = fill(layout, served, [outcome])
        return replace(usual["binary"], current=current, outcome=current.outcome(0))

    return make


def read(statistic, evidence):
    return {one.attributes["metric"]: one for one in statistic.compute(evidence)}


def test_recall_of_early_frauds_may_be_almost_anything_and_says_so(evidence_of):
    # As of a day: alerts are reviewed, and of all that they may have missed no label is there.
    found = read(PERFORMANCE_SCORE, evidence_of(10, 900, 30, (0, 0, 12, 15)))
    assert found["recall"].value == 1.0
    assert found["recall"].evidence == {"coverage": 27 / 940, "worst": 15 / 915, "best": 1.0}
    assert found["precision"].evidence == {"coverage": 27 / 940, "worst": 15 / 30, "best": 18 / 30}


def test_once_every_label_is_there_nothing_is_open(evidence_of):
    found = read(PERFORMANCE_SCORE, evidence_of(0, 100, 30, (90, 10, 12, 18)))
    for metric in METRICS:
        ends = found[metric].evidence["worst"], found[metric].evidence["best"]
        assert ends == pytest.approx((found[metric].value,) * 2, abs=1e-15)


def test_no_value_of_the_labelled_ones_is_told_without_their_share_and_what_the_others_leave_open(evidence_of, usual):
    scores = read(PERFORMANCE_SCORE, evidence_of(10, 900, 30, (20, 5, 12, 15)))
    assert set(scores) > METRICS
    for metric, one in scores.items():
        assert one.evidence["coverage"] == 52 / 940
        assert ("worst" in one.evidence) == (metric in METRICS)
        if metric in METRICS:
            assert one.evidence["worst"] <= one.value <= one.evidence["best"]
    for evidence in usual.values():
        for statistic in (PERFORMANCE_SCORE, PERFORMANCE_ERROR):
            for one in statistic.compute(evidence):
                assert one.evidence["coverage"] == evidence.outcome.labelled / evidence.current.predictions


def test_what_is_counted_of_no_decision_has_no_bounds(evidence_of, usual):
    more_labels_than_served = evidence_of(0, 10, 5, (3, 3, 3, 3))
    nothing_decided = evidence_of(5, 0, 0, (0, 0, 0, 0))
    for evidence in (more_labels_than_served, nothing_decided, usual["multiclass"], usual["regression"]):
        assert decided(evidence.current, evidence.outcome) is None
