"""What matured cohorts say of the next one's labels, and when they say too little."""

import numpy as np
import pytest

from mlvitals.signals.delay_curve import DOUBTED, LEAST_COHORTS, LEAST_LABELS, curve_of


def known_curve(known, final):
    curve = curve_of(np.array(known), np.array(final))
    assert curve is not None
    return curve


def test_the_share_is_that_of_all_labels_and_where_cohorts_are_alike_each_label_counts():
    few = known_curve([9, 20, 31], [20, 40, 60])
    many = known_curve(np.tile([9, 20, 31], 20), np.tile([20, 40, 60], 20))
    assert few.share == many.share == 0.5
    assert few.early == pytest.approx(few.late)
    assert few.early + few.late == pytest.approx(120, rel=0.01)
    assert many.early + many.late == pytest.approx(2400, rel=0.01)


@pytest.mark.parametrize(
    ("known", "final"),
    [
        ([50] * (LEAST_COHORTS - 1), [60] * (LEAST_COHORTS - 1)),
        ([50, 60, 0, 0], [60, 70, 0, 0]),  # two have such labels
        ([LEAST_LABELS - 3, 1, 1], [400, 400, 400]),
        ([], []),
    ],
)
def test_too_little_says_nothing(known, final):
    assert curve_of(np.array(known, dtype=np.int64), np.array(final, dtype=np.int64)) is None


def test_labels_that_have_all_come_leave_no_doubt_but_that_of_their_number():
    curve = known_curve([40, 50, 60], [40, 50, 60])
    assert (curve.share, curve.likeness, curve.late) == (1.0, 0.0, 0.5)
    assert curve.early > 100


def test_a_label_that_was_another_one_at_the_age_is_no_more_than_came_at_all():
    assert known_curve([70, 50, 60], [40, 50, 60]).share == 1.0


def test_cohorts_that_differ_by_more_than_chance_are_believed():
    generator = np.random.default_rng(5)
    for likeness in (0.0, 0.02, 0.2):
        chances = generator.beta(0.3 * (1 / likeness - 1), 0.7 * (1 / likeness - 1), 400) if likeness else 0.3
        final = generator.integers(50, 150, 400)
        curve = known_curve(generator.binomial(final, chances), final)
        assert curve.likeness == pytest.approx(likeness, abs=0.03)
        # What it says of the next cohort has the variance that such chances have.
        assert curve.early + curve.late < (1 / likeness if likeness else final.sum() + 1)


def test_of_few_cohorts_that_look_alike_some_difference_is_not_excluded():
    alike = known_curve([30, 31, 29], [100, 100, 100])
    assert 0 <= alike.likeness <= DOUBTED
    unlike = known_curve([10, 31, 70], [100, 100, 100])
    assert unlike.likeness > DOUBTED
