"""What a young cohort is corrected to, where that is known, and what is told where it is not."""

from dataclasses import replace

import numpy as np
import pytest

from mlvitals.signals.corrected import PERFORMANCE_CORRECTED
from mlvitals.signals.performance import PERFORMANCE_SCORE
from mlvitals.windows.matured import Matured

METRICS = {"accuracy", "precision", "recall", "specificity", "f1"}
TRUTH = np.array([[9_700, 60], [110, 130]])  # decision × class, of one cohort


def matured(cohorts, arrived):
    """Make cohorts like the truth, of which these shares had come."""
    final = np.tile(TRUTH, (cohorts, 1, 1))
    return Matured(served=final.sum(axis=2), known=(final * arrived).astype(np.int64), final=final)


@pytest.fixture
def evidence_of(layouts, fill, usual):
    """Make the evidence of a cohort of which these shares have come, beside matured ones."""

    def make(arrived, beside):
        layout = layouts["binary"]
        negative, positive = TRUTH.sum(axis=1).tolist()
        (tn, fn), (fp, tp) = (TRUTH * arrived).astype(np.int64).tolist()
        served = {"predictions": negative + positive, "class": [negative, positive, 0, 0, 0]}
        outcome = {"confusion": [tn, fn, 0, fp, tp, 0, 0, 0, 0], "labelled": tn + fn + fp + tp}
        current = fill(layout, served, [outcome])
        return replace(usual["binary"], current=current, outcome=current.outcome(0), matured=beside)

    return make


def read(statistic, evidence):
    return {one.attributes["metric"]: one for one in statistic.compute(evidence)}


# Of frauds that were missed a third is known, of what is good nothing, alerts are reviewed.
WEEK = np.array([[0.0, 0.35], [1.0, 1.0]])


def test_what_arrives_by_its_outcome_is_corrected_by_it(evidence_of):
    evidence = evidence_of(WEEK, matured(8, WEEK))
    plain, found = read(PERFORMANCE_SCORE, evidence), read(PERFORMANCE_CORRECTED, evidence)
    assert set(found) == METRICS
    truth = {"accuracy": 9_830 / 10_000, "precision": 130 / 240, "recall": 130 / 190, "f1": 260 / 430}
    for metric, value in truth.items():
        one = found[metric]
        assert one.lower <= value <= one.upper, metric
        assert abs(one.value - value) < 0.02, metric
        assert one.evidence["worst"] <= one.lower <= one.value <= one.upper <= one.evidence["best"], metric
    assert plain["recall"].value == pytest.approx(130 / 151)  # what is labelled says
    assert 0.1 < found["recall"].upper - found["recall"].lower < 0.3
    about = found["recall"].evidence
    assert (about["matured_cohorts"], about["arrived_false_negative"]) == (8.0, 0.35)
    assert "arrived_true_negative" not in about
    assert "uncorrected" not in plain["recall"].evidence


def test_where_missed_frauds_have_hardly_begun_to_come_precision_alone_is_corrected(evidence_of):
    day = np.array([[0.0, 0.01], [0.6, 0.7]])
    evidence = evidence_of(day, matured(8, day))
    plain, found = read(PERFORMANCE_SCORE, evidence), read(PERFORMANCE_CORRECTED, evidence)
    assert set(found) == {"precision"}
    assert found["precision"].lower <= 130 / 240 <= found["precision"].upper
    assert "uncorrected" not in plain["precision"].evidence
    for metric in METRICS - {"precision"}:
        assert plain[metric].evidence["uncorrected"] == "too few labels of matured cohorts had come by this age"


def test_without_matured_cohorts_there_is_no_value_but_a_reason(evidence_of):
    evidence = evidence_of(np.full((2, 2), 0.5), matured(2, np.full((2, 2), 0.5)))
    assert read(PERFORMANCE_CORRECTED, evidence) == {}
    reasons = {one.evidence.get("uncorrected") for one in read(PERFORMANCE_SCORE, evidence).values()}
    assert reasons == {"fewer than 3 cohorts had matured", None}  # roc_auc and others have no bounds either


def test_once_every_label_is_there_it_is_what_they_say(evidence_of):
    complete = np.ones((2, 2))
    evidence = evidence_of(complete, matured(0, complete))
    plain, found = read(PERFORMANCE_SCORE, evidence), read(PERFORMANCE_CORRECTED, evidence)
    for metric in METRICS:
        assert {found[metric].lower, found[metric].value, found[metric].upper} == {found[metric].value}
        assert found[metric].value == pytest.approx(plain[metric].value, abs=1e-15)


def test_at_the_last_maturity_and_of_other_tasks_nothing_is_corrected(evidence_of, usual):
    evidence = evidence_of(WEEK, None)
    assert read(PERFORMANCE_CORRECTED, evidence) == {}
    assert all("uncorrected" not in one.evidence for one in read(PERFORMANCE_SCORE, evidence).values())
    for task in ("multiclass", "regression"):
        assert read(PERFORMANCE_CORRECTED, replace(usual[task], matured=evidence.matured)) == {}


def test_labels_of_which_some_never_come_are_corrected_to_what_labels_will_say(evidence_of):
    """Of alerts four in five ever get a label: precision is that of these, and recall counts them alone."""
    final = np.tile(np.array([[9_700, 60], [88, 104]]), (8, 1, 1))
    served = np.tile(TRUTH.sum(axis=1), (8, 1))
    half = Matured(served=served, known=(final * np.array([[0.0, 0.5], [0.5, 0.5]])).astype(np.int64), final=final)
    found = read(PERFORMANCE_CORRECTED, evidence_of(np.array([[0.0, 0.5], [0.4, 0.4]]), half))
    assert found["precision"].value == pytest.approx(104 / 192, abs=0.02)
    assert found["recall"].value == pytest.approx(104 / 164, abs=0.03)
