"""What labels add to the sums of money: by age bucket, by what was predicted and came true, and by score."""

import numpy as np
import pytest

from mlvitals.windows.bins import NumericBins
from mlvitals.windows.layout import Layout, OutputLayout, Task
from mlvitals.windows.outcome_amounts import Judged, add_amounts, amount_of, amounts_by_score, unpriced
from mlvitals.windows.summary import Summary

LAYOUT = Layout(
    (), OutputLayout(Task.BINARY, score=NumericBins((0.5,)), groups=(0, 1), probability=True), amount="features.amount"
)
PREDICTED = np.array([0, 0, 1, 1, 0, 1])
TRUE = np.array([1, 1, 0, 1, 1, 0])
SCORES = np.array([0.1, 0.2, 0.7, 0.9, np.nan, 0.8])
AMOUNTS = np.array([10.25, 4.0, 3.5, 7.0, 2.0, np.nan])
BUCKETS = np.array([0, 1, 1, 1, 1, 0])


def added(signs):
    summary = Summary.empty(LAYOUT, buckets=2)
    add_amounts(summary.outcomes, LAYOUT, BUCKETS, np.array(signs), Judged(PREDICTED, TRUE, SCORES, AMOUNTS))
    return summary


@pytest.mark.parametrize(("bucket", "missed", "squares"), [(0, 10.25, 10.25**2), (1, 16.25, 10.25**2 + 16 + 4)])
def test_each_age_bucket_holds_its_amounts_and_their_squares(bucket, missed, squares):
    outcome = added([1] * 6).outcome(bucket)
    assert amount_of(outcome, 0, 1) == missed
    assert outcome.total("missed_squared") == squares
    assert amount_of(outcome, 1, 0) == 3.5 * bucket
    assert outcome.total("false_squared") == 3.5**2 * bucket
    assert unpriced(outcome, 1, 0) == 1


def test_amounts_of_rows_with_a_score_stand_by_their_bin():
    assert amounts_by_score(added([1] * 6).outcome(1)).tolist() == [[0.0, 3.5], [14.25, 7.0]]


def test_what_is_taken_back_leaves_nothing():
    summary = added([1] * 6)
    add_amounts(summary.outcomes, LAYOUT, BUCKETS, np.array([-1] * 6), Judged(PREDICTED, TRUE, SCORES, AMOUNTS))
    assert not summary.outcomes.any()
