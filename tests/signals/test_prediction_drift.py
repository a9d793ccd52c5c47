"""Prediction drift over groups of score bins, or over classes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.signals.pair import make_pair
from mlvitals.signals.prediction_drift import PREDICTION_DRIFT_SCORE, PREDICTION_SKEW_SCORE, coarse_bins
from mlvitals.signals.spec import Evidence
from mlvitals.signals.stability import stability_index
from mlvitals.windows.bins import NumericBins


@st.composite
def grouped_values(draw):
    """Edges, a group for each bin, and values."""
    edges = sorted(draw(st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=12, unique=True)))
    steps = draw(st.lists(st.booleans(), min_size=len(edges), max_size=len(edges)))
    groups = (0, *np.cumsum(steps).tolist())
    return tuple(edges), groups, np.array(draw(st.lists(st.floats(-60, 60), max_size=50)))


@given(grouped_values())
def test_groups_count_what_their_own_edges_would_have_counted(case):
    edges, groups, values = case
    fine = NumericBins(edges)
    counts = np.bincount(np.searchsorted(fine.array, values, side="right"), minlength=fine.size)
    bins, starts = coarse_bins(fine, groups)
    assert bins.size == groups[-1] + 1 == len(starts)
    coarse = np.searchsorted(bins.array, values, side="right")
    assert np.add.reduceat(counts, starts).tolist() == np.bincount(coarse, minlength=bins.size).tolist()


def test_a_point_that_is_a_group_of_its_own_stays_a_point():
    fine = NumericBins((0.2, 0.5, float(np.nextafter(0.5, 1)), 0.9))
    bins, starts = coarse_bins(fine, (0, 0, 1, 2, 2))
    assert bins.is_point.tolist() == [False, True, False]
    assert np.add.reduceat(np.arange(5), starts).tolist() == [1, 2, 7]


def test_without_groups_the_fine_bins_stay_as_they_are():
    fine = NumericBins((1.0,))
    assert coarse_bins(fine, ())[0] is fine


METHODS = {"psi", "js", "hellinger", "tvd", "linf", "chi2", "ks", "wasserstein"}


def test_the_score_is_compared_in_its_groups(layouts, fill):
    layout = layouts["binary"]  # groups 0 0 1 2 3 3 4, then three specials
    current = fill(layout, {"score": [5, 6, 7, 8, 9, 10, 11, 1, 0, 2]})
    reference = fill(layout, {"score": [50, 40, 30, 20, 10, 50, 60, 3, 0, 0]})
    readings = PREDICTION_DRIFT_SCORE.compute(Evidence(current=current, reference=reference))
    found = {reading.attributes["method"]: reading for reading in readings}
    expected = stability_index(
        make_pair(np.array([[11, 7, 8, 19, 11, 1, 0, 2]]), np.array([[90, 30, 20, 60, 60, 3, 0, 0]]))
    )
    assert found["psi"].value == pytest.approx(expected.value.item(), rel=1e-12)
    assert found["psi"].samples == 59
    assert found["ks"].value == pytest.approx(max(abs(90 / 260 - 11 / 56), abs(120 / 260 - 18 / 56)), rel=1e-12)
    assert set(found) == METHODS


def test_a_score_that_goes_missing_is_seen(layouts, fill):
    layout = layouts["binary"]
    reference = fill(layout, {"score": [50, 40, 30, 20, 10, 50, 60, 0, 0, 0]})
    current = fill(layout, {"score": [0] * 7 + [500, 0, 0]})
    readings = PREDICTION_DRIFT_SCORE.compute(Evidence(current=current, reference=reference))
    found = {reading.attributes["method"]: reading for reading in readings}
    assert found["psi"].evidence["bin"] == "missing"
    assert set(found) == METHODS - {"ks", "wasserstein"}


def test_without_scores_classes_are_compared_by_what_needs_no_order(layouts, fill):
    layout = layouts["multiclass"]
    current, reference = fill(layout, {"class": [5, 6, 7, 0, 0, 9]}), fill(layout, {"class": [70, 60, 50, 0, 9, 0]})
    found = {
        one.attributes["method"]: one
        for one in PREDICTION_SKEW_SCORE.compute(Evidence(current=current, training=reference))
    }
    assert set(found) == METHODS - {"ks", "wasserstein"}
    assert found["psi"].attributes == {"comparison": "training", "method": "psi"}
    assert found["psi"].evidence["bin"] == "other or unseen"


def test_a_regression_is_compared_by_its_values(layouts, fill):
    layout = layouts["regression"]
    current, reference = (
        fill(layout, {"score": [1, 2, 3, 4, 0, 0, 0]}),
        fill(layout, {"score": [4, 3, 2, 1, 0, 0, 0]}),
    )
    methods = [
        reading.attributes["method"]
        for reading in PREDICTION_DRIFT_SCORE.compute(Evidence(current=current, reference=reference))
    ]
    assert set(methods) == METHODS
