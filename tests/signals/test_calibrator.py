"""The calibrator against brute force, and what isotonic means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.signals.calibrator import Calibrator, calibrator_of, fit_calibrator
from mlvitals.windows.bins import NumericBins

BINS = NumericBins((0.0, 1.0, 2.0, 3.0, 4.0, 5.0))  # five of equal width, and one on either side


def fit(negatives, positives) -> Calibrator:
    found = fit_calibrator(np.array(negatives), np.array(positives), BINS)
    assert found is not None
    return found


def by_brute_force(positives, rows):
    """Return the isotonic shares by the max-min formula."""
    size = len(rows)
    hits, total = np.concatenate([[0], np.cumsum(positives)]), np.concatenate([[0], np.cumsum(rows)])

    def share(first, last):
        return (hits[last + 1] - hits[first]) / (total[last + 1] - total[first])

    return [max(min(share(a, b) for b in range(at, size)) for a in range(at + 1)) for at in range(size)]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)).filter(any), min_size=1, max_size=12))
def test_chances_are_the_max_min_of_shares(counts):
    negatives, positives = np.array(counts).T
    found = fit_calibrator(negatives, positives, NumericBins(tuple(float(place) for place in range(1, len(counts)))))
    if found is None:
        assert negatives.sum() == 0 or positives.sum() == 0
        return
    assert found.chances == pytest.approx(by_brute_force(positives, negatives + positives), abs=1e-15)
    assert (np.diff(found.chances) >= 0).all()
    assert len(np.unique(found.chances)) == len(found.variances)
    assert float(found.chances @ (negatives + positives)) == pytest.approx(found.positives)


def test_bins_that_are_in_order_keep_their_shares():
    found = fit([0, 9, 8, 5, 2, 1, 0], [0, 1, 2, 5, 8, 9, 0])
    assert found.chances == pytest.approx([0.1, 0.1, 0.2, 0.5, 0.8, 0.9, 0.9])
    assert found.outside.tolist() == [True, False, False, False, False, False, True]
    assert (found.rows, found.positives, found.base_rate) == (50, 25, 0.5)


def test_bins_out_of_order_are_one_block_and_err_together():
    found = fit([0, 9, 2, 8, 2, 1, 0], [0, 1, 8, 2, 8, 9, 0])
    assert found.chances[2] == found.chances[3] == 0.5
    assert found.blocks.tolist() == [0, 0, 1, 1, 2, 3, 3]
    assert found.variances[1] == pytest.approx(10.5 * 10.5 / (21**2 * 22))
    assert found.bin_variances[2] == found.variances[1]
    assert found.sum_by_block(np.ones(7)).tolist() == [2, 2, 1, 2]


def test_a_bin_without_labels_lies_between_its_neighbours():
    found = fit([0, 9, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, 9, 0])
    assert found.chances == pytest.approx([0.1, 0.1, 0.3, 0.5, 0.7, 0.9, 0.9])


def test_a_block_that_never_saw_the_other_class_is_not_certain():
    found = fit([0, 5, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 5, 0])
    assert found.chances[[1, 5]].tolist() == [0, 1]
    assert (found.variances > 0).all()


@pytest.mark.parametrize("counts", [(0, 0), (3, 0), (0, 3)])
def test_labels_of_one_class_or_none_calibrate_nothing(counts):
    assert fit_calibrator(np.array([0, counts[0]]), np.array([0, counts[1]]), NumericBins((0.5,))) is None


def test_only_a_binary_reference_with_scores_is_calibrated(layouts, fill):
    for name, layout in layouts.items():
        known = [] if name != "binary" else [{"negatives": [3] * 10, "positives": [1] * 10}]
        assert (calibrator_of(fill(layout, {}, known)) is not None) == (name == "binary")
