"""Expected performance against brute force over rows, its derivatives, and how often intervals are right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.signals.calibrator import Calibrator, fit_calibrator
from mlvitals.signals.confusion import binary_scores
from mlvitals.signals.estimate import Belief, after_label_shift, as_in_reference, estimate_scores
from mlvitals.signals.ranking import binned_area, binned_precision
from mlvitals.windows.bins import NumericBins

BINS = NumericBins((0.2, 0.4, 0.6, 0.8))
SIZE = BINS.size
IS_POINT = np.zeros(SIZE, dtype=bool)


def calibrated(chances, rows=10_000) -> Calibrator:
    """Return what a reference of so many rows in each bin says whose shares of positives are these chances."""
    positives = np.rint(np.array(chances) * rows).astype(np.int64)
    found = fit_calibrator(rows - positives, positives, BINS)
    assert found is not None
    return found


CALIBRATOR = calibrated([0.02, 0.15, 0.4, 0.7, 0.95])
decisions = st.lists(st.integers(0, 50), min_size=2 * SIZE, max_size=2 * SIZE).filter(any)


def expected(rows, belief) -> dict[str, float]:
    return {one.metric: one.value for one in estimate_scores(rows, belief)}


def realised(rows, hits) -> dict[str, float]:
    """Return the house's own scores of labels: `hits` of the rows of each decision and bin are positive."""
    (fn, tp), (left, acted) = hits.sum(axis=1).tolist(), rows.sum(axis=1).tolist()
    confusion = np.array([[left - fn, fn], [acted - tp, tp]])
    found = {one.metric: one.value for one in binary_scores(confusion)}
    positives, negatives = hits.sum(axis=0), (rows - hits).sum(axis=0)
    areas = {
        "roc_auc": binned_area(negatives, positives, IS_POINT),
        "pr_auc": binned_precision(negatives, positives, IS_POINT),
    }
    return found | {metric: area.value for metric, area in areas.items() if area is not None}


@given(decisions)
def test_where_chances_are_certain_the_estimate_is_what_is_realised(counts):
    rows = np.array(counts, dtype=np.float64).reshape(2, SIZE)
    truth = np.array([0.0, 0.0, 1.0, 1.0, 1.0])
    belief = Belief(CALIBRATOR, truth, np.zeros(SIZE), np.zeros(SIZE), 0.0, 0.5)
    found = list(estimate_scores(rows, belief))
    assert {one.metric: one.value for one in found} == pytest.approx(
        realised(rows.astype(np.int64), (rows * truth).astype(np.int64)), abs=1e-12
    )
    assert all(one.variance == 0 for one in found)


@given(decisions.filter(lambda counts: min(counts) > 0))
def test_variances_are_those_of_small_changes(counts):
    rows = np.array(counts, dtype=np.float64).reshape(2, SIZE)
    chances, step = CALIBRATOR.chances, 1e-6
    belief = as_in_reference(CALIBRATOR, rows.sum(axis=0))
    found = {one.metric: one for one in estimate_scores(rows, belief)}
    variance = dict.fromkeys(found, 0.0)
    for place in range(SIZE):
        for sign in (-1, 1):
            moved = chances.copy()
            moved[place] += sign * step
            values = expected(rows, Belief(CALIBRATOR, moved, np.zeros(SIZE), np.zeros(SIZE), 0.0, 0.5))
            for metric, value in values.items():
                slope = sign * (value - found[metric].value) / step
                variance[metric] += slope**2 * CALIBRATOR.bin_variances[place] / 2
    assert {metric: one.calibration for metric, one in found.items()} == pytest.approx(variance, rel=1e-3)


def draw(generator, rows, chances):
    return generator.binomial(rows.astype(np.int64), chances)


ROWS = np.array([[2_000, 600, 150, 20, 0], [0, 30, 150, 200, 250]], dtype=np.float64)


def test_intervals_hold_what_is_realised_as_often_as_they_say():
    generator = np.random.default_rng(5)
    belief = as_in_reference(CALIBRATOR, ROWS.sum(axis=0))
    found = {one.metric: one for one in estimate_scores(ROWS, belief)}
    inside = dict.fromkeys(found, 0)
    for _ in range(400):
        truth = generator.normal(CALIBRATOR.chances, np.sqrt(CALIBRATOR.bin_variances)).clip(0, 1)
        for metric, value in realised(ROWS.astype(np.int64), draw(generator, ROWS, truth)).items():
            inside[metric] += abs(value - found[metric].value) <= 1.96 * found[metric].variance ** 0.5
    assert all(0.92 <= times / 400 <= 0.98 for times in inside.values()), inside


def test_the_calibrator_s_own_uncertainty_widens_the_interval():
    small = calibrated([0.02, 0.15, 0.4, 0.7, 0.95], rows=100)
    for one, other in zip(
        estimate_scores(ROWS, as_in_reference(small, ROWS.sum(axis=0))),
        estimate_scores(ROWS, as_in_reference(CALIBRATOR, ROWS.sum(axis=0))),
        strict=True,
    ):
        assert one.value == pytest.approx(other.value)
        assert one.sampling == pytest.approx(other.sampling)
        assert one.calibration > 50 * other.calibration


@pytest.mark.parametrize("share", [0.05, 0.44, 0.8])
def test_after_a_label_shift_the_share_of_positives_is_found(share):
    # The classes' scores as in the reference, whose bins are alike in size, in other proportions.
    positive, negative = (one / one.sum() for one in (CALIBRATOR.chances, 1 - CALIBRATOR.chances))
    mixture = 10_000 * (share * positive + (1 - share) * negative)
    belief = after_label_shift(CALIBRATOR, mixture)
    assert belief is not None
    assert belief.share == pytest.approx(share, abs=1e-9)
    assert belief.chances == pytest.approx(10_000 * share * positive / mixture, abs=1e-9)
    assert mixture @ belief.chances == pytest.approx(10_000 * share)


def test_the_share_is_the_fixed_point_of_the_em_algorithm():
    rows = np.array([500.0, 100.0, 80.0, 90.0, 40.0])
    belief = after_label_shift(CALIBRATOR, rows)
    assert belief is not None
    before, share = CALIBRATOR.base_rate, 0.5
    for _ in range(2_000):
        odds = CALIBRATOR.chances * share / before, (1 - CALIBRATOR.chances) * (1 - share) / (1 - before)
        share = float(rows @ (odds[0] / (odds[0] + odds[1])) / rows.sum())
    assert belief.share == pytest.approx(share, abs=1e-9)


def test_derivatives_after_a_label_shift_are_those_of_small_changes():
    rows = np.array([500.0, 100.0, 80.0, 90.0, 40.0])
    belief = after_label_shift(CALIBRATOR, rows)
    assert belief is not None

    def chance(base, share):
        before = CALIBRATOR.base_rate
        odds = base / (1 - base) * share / (1 - share) * (1 - before) / before
        return odds / (1 + odds)

    step = 1e-6
    steeper = (chance(CALIBRATOR.chances + step, belief.share) - belief.chances) / step
    assert belief.slopes == pytest.approx(steeper, rel=1e-4)
    more = (chance(CALIBRATOR.chances, belief.share + step) - belief.chances) / step
    assert belief.by_share == pytest.approx(more, rel=1e-4)


def test_a_share_that_scores_cannot_tell_is_not_estimated():
    alike = calibrated([0.3] * SIZE)
    assert after_label_shift(alike, ROWS.sum(axis=0)) is None


def test_only_negatives_give_a_share_near_to_none():
    belief = after_label_shift(calibrated([0.0, 0.0, 0.5, 1.0, 1.0]), np.array([900.0, 100.0, 0.0, 0.0, 0.0]))
    assert belief is not None
    assert belief.share < 1e-8
    assert belief.chances[:2].tolist() == [0, 0]


def test_what_is_undefined_is_not_estimated():
    nobody_acted = np.array([[50.0] * SIZE, [0.0] * SIZE])
    assert "precision" not in expected(nobody_acted, as_in_reference(CALIBRATOR, nobody_acted.sum(axis=0)))
    assert "mcc" not in expected(nobody_acted, as_in_reference(CALIBRATOR, nobody_acted.sum(axis=0)))
    assert list(estimate_scores(np.zeros((2, SIZE)), as_in_reference(CALIBRATOR, np.ones(SIZE)))) == []
