"""The truth against the reference's truth, by hand."""

from dataclasses import replace
from math import log

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.contracts.evidence import exact_cells, fill, layouts
from mlvitals.signals.label_drift import LABEL_DRIFT_SCORE, label_moments
from mlvitals.signals.spec import Evidence
from mlvitals.windows.bins import CategoryBins
from mlvitals.windows.layout import Layout, OutputLayout, Task

BINARY = Layout(features=(), output=OutputLayout(task=Task.BINARY, classes=CategoryBins(("0", "1"), own=2)))
MANY = Layout(
    features=(), output=OutputLayout(task=Task.MULTICLASS, classes=CategoryBins(("cat", "dog", "cow"), own=2))
)
NUMBERS = layouts()["regression"]


def classified(layout, *true):
    """Return a summary of these many labels of each outcome class, predicted to be anything."""
    confusion = np.zeros((len(layout.outcome_classes),) * 2, dtype=np.int64)
    confusion[0, : len(true)] = [count // 2 for count in true]
    confusion[1, : len(true)] = [count - count // 2 for count in true]
    return fill(layout, {"predictions": sum(true)}, [{"labelled": sum(true), "confusion": confusion.reshape(-1)}])


def measured(values):
    squares = exact_cells(np.square(values))
    rows = len(values)
    sums: dict[str, npt.ArrayLike] = {"label": exact_cells(values), "label_squared": squares}
    parts = {"labelled": rows, "measured": rows, **sums}
    return fill(NUMBERS, {"predictions": len(values)}, [parts])


def against(current, reference):
    evidence = Evidence(current=current, reference=reference, outcome=current.outcome(0), maturity="7d")
    return {one.attributes["method"]: one for one in LABEL_DRIFT_SCORE.compute(evidence)}


def test_labels_of_two_classes_differ_as_predictions_do():
    found = against(classified(BINARY, 800, 200), classified(BINARY, 900, 100))
    assert set(found) == {"psi", "js", "hellinger", "tvd", "linf", "chi2"}
    raw = 0.1 * log(2) + (-0.1) * log(800 / 900)
    assert found["psi"].value == pytest.approx(raw, abs=3 * found["psi"].noise + found["psi"].evidence["no_drift_mean"])
    assert found["tvd"].value == pytest.approx(0.1, abs=0.02)
    assert found["linf"].evidence["bin"] == "1"
    assert found["psi"].attributes["maturity"] == "7d"
    assert (found["psi"].samples, found["psi"].reference_samples) == (1000, 1000)


def test_rare_classes_are_one_cell_and_the_same_mix_does_not_differ():
    found = against(classified(MANY, 100, 200, 300), classified(MANY, 100, 200, 300))
    assert found["linf"].value == 0
    other = against(classified(MANY, 100, 200, 300), classified(MANY, 200, 400, 0))
    assert other["linf"].evidence["bin"] == "other"
    assert other["linf"].value == pytest.approx(0.5, abs=0.05)


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=40), st.integers(-50, 50))
def test_a_mean_that_moves_by_a_deviation_is_a_drift_of_one(values, deviations):
    usual = label_moments(measured(np.array(values, dtype=float)).outcome(0))
    assert usual is not None
    assert usual[0] == pytest.approx(np.mean(values))
    assert usual[1] == pytest.approx(np.var(values, ddof=1))
    moved = np.array(values, dtype=float) + deviations
    found = against(measured(moved), measured(np.array(values, dtype=float)))
    if usual[1] == 0:
        assert found == {}
    else:
        assert found["mean"].value == pytest.approx(deviations / usual[1] ** 0.5, abs=1e-9)
        assert found["mean"].noise == pytest.approx((2 / len(values)) ** 0.5)


def test_without_labels_on_both_sides_nothing_is_said():
    one, none = classified(BINARY, 80, 20), classified(BINARY, 0, 0)
    assert against(one, none) == against(none, one) == {}
    assert against(measured([1.0, 2.0]), measured([])) == {}
    whole = Evidence(current=one, reference=one, outcome=one.outcome(0), maturity="7d")
    for missing in (replace(whole, reference=None), replace(whole, outcome=None, maturity=None)):
        assert not [*LABEL_DRIFT_SCORE.compute(missing)]


def test_a_version_that_knows_other_classes_is_not_compared():
    assert against(classified(BINARY, 80, 20), classified(MANY, 50, 50)) == {}
