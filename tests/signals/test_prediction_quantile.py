"""Quantiles of the score from its bins, held against those of the scores themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.signals.prediction_quantile import PREDICTION_QUANTILE, QUANTILES, binned_quantile
from mlvitals.signals.spec import Evidence
from mlvitals.windows.bins import NumericBins

POINT = 0.5
BINS = NumericBins((0.0, 0.1, 0.3, POINT, float(np.nextafter(POINT, 1)), 0.8, 1.0))


def binned(values) -> np.ndarray:
    return np.bincount(np.searchsorted(BINS.array, values, side="right"), minlength=BINS.size)


@given(
    st.lists(st.floats(-1, 2) | st.just(POINT), min_size=1, max_size=60),
    st.sampled_from([0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]),
)
def test_the_quantile_of_the_scores_themselves_is_in_the_told_bin(scores, share):
    found = binned_quantile(BINS, binned(scores), share)
    true = float(np.quantile(scores, share, method="inverted_cdf"))
    assert found is not None
    assert found.lower is None or found.lower <= true
    assert found.upper is None or true <= found.upper
    assert found.lower is None or found.lower <= found.value
    assert found.upper is None or found.value <= found.upper


def test_inside_a_bin_it_is_on_the_straight_line():
    found = binned_quantile(BINS, np.array([0, 0, 10, 0, 0, 0, 0, 0]), 0.25)
    assert found is not None
    assert (found.lower, found.upper) == (0.1, 0.3)
    assert found.value == pytest.approx(0.15)


def test_a_bin_of_one_value_is_exact_and_an_open_bin_is_told_by_its_end():
    assert binned_quantile(BINS, np.array([0, 0, 0, 0, 9, 0, 0, 0]), 0.5) == (POINT, POINT, POINT)
    assert binned_quantile(BINS, np.array([9, 0, 0, 0, 0, 0, 0, 0]), 0.5) == (0.0, None, 0.0)
    assert binned_quantile(BINS, np.array([0, 0, 0, 0, 0, 0, 0, 9]), 0.5) == (1.0, 1.0, None)


def test_the_widest_range_of_doubles_has_a_middle():
    found = binned_quantile(NumericBins((-1.7e308, 1.7e308)), np.array([0, 10, 0]), 0.5)
    assert found is not None
    assert found.value == pytest.approx(0.0, abs=1e292)


def test_without_a_row_or_an_edge_there_is_none():
    assert binned_quantile(BINS, np.zeros(BINS.size, int), 0.5) is None
    assert binned_quantile(NumericBins(()), np.array([5]), 0.5) is None


def test_every_quantile_of_the_score_is_read_and_none_of_classes(layouts, fill):
    window = fill(layouts["regression"], {"score": [0, 30, 10, 0, 5, 0, 0]})
    readings = list(PREDICTION_QUANTILE.compute(Evidence(current=window)))
    assert [one.attributes for one in readings] == [{"quantile": f"{share:g}"} for share in QUANTILES]
    assert {one.samples for one in readings} == {40}
    values = [one.value for one in readings]
    assert values == sorted(values)
    assert list(PREDICTION_QUANTILE.compute(Evidence(current=fill(layouts["multiclass"])))) == []
