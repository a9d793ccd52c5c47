"""Scores of classes against every row and published definitions."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlvitals.signals.confusion import binary_scores, class_scores, multiclass_scores

COUNTS = st.integers(0, 5) | st.integers(0, 2**40)
TWO = arrays.arrays(np.int64, (2, 2), elements=COUNTS)
MANY = arrays.arrays(np.int64, (4, 4), elements=st.integers(0, 5))


def values(scores) -> dict[str, float]:
    return {score.metric: score.value for score in scores}


def rows_of(matrix):
    """Predicted and true class of every row."""
    predicted, true = np.indices(matrix.shape).reshape(2, -1)
    return np.repeat(predicted, matrix.reshape(-1)), np.repeat(true, matrix.reshape(-1))


@given(TWO)
def test_the_correlation_of_two_classes_is_matthews_own(matrix):
    (tn, fn), (fp, tp) = matrix.tolist()
    spread = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    found = values(binary_scores(matrix))
    if spread:
        assert found["mcc"] == pytest.approx((tp * tn - fp * fn) / sqrt(spread), rel=1e-12, abs=1e-12)
        assert -1 <= found["mcc"] <= 1
    else:
        assert "mcc" not in found


@given(TWO)
def test_every_share_lies_within_its_bounds_and_rests_on_all_rows(matrix):
    for score in binary_scores(matrix):
        assert score.samples == matrix.sum()
        if score.lower is not None and score.upper is not None:
            assert (-1 if score.metric == "mcc" else 0) <= score.lower <= score.value <= score.upper <= 1


@given(MANY)
def test_the_correlation_of_many_classes_is_that_of_their_indicator_vectors(matrix):
    """Gorodkin (2004), equation 1: the covariance of one-hot matrices over the root of their variances."""
    predicted, true = (np.eye(4)[codes] for codes in rows_of(matrix))
    found = values(multiclass_scores(matrix, 3)).get("mcc")
    centred = [one - one.mean(axis=0) for one in (predicted, true)] if len(predicted) else [predicted, true]
    variances = [(one**2).sum() for one in centred]
    if min(variances) < 1e-9:
        assert found is None
    else:
        assert found == pytest.approx((centred[0] * centred[1]).sum() / sqrt(variances[0] * variances[1]), abs=1e-9)


@given(MANY)
def test_macro_averages_go_over_the_known_classes_that_have_a_label(matrix):
    matrix[3, 3] = 0
    predicted, true = rows_of(matrix)
    found = values(multiclass_scores(matrix, 3))
    precisions, recalls, harmonic = [], [], []
    for one in range(3):
        if not (true == one).any():
            continue
        hits = ((predicted == one) & (true == one)).sum()
        precisions.append(hits / (predicted == one).sum() if (predicted == one).any() else 0.0)
        recalls.append(hits / (true == one).sum())
        both = precisions[-1] + recalls[-1]
        harmonic.append(2 * precisions[-1] * recalls[-1] / both if both else 0.0)
    if precisions:
        expected = {"precision": precisions, "recall": recalls, "f1": harmonic}
        assert {name: found[name] for name in expected} == {
            name: pytest.approx(np.mean(parts), rel=1e-12) for name, parts in expected.items()
        }
    else:
        assert not {"precision", "recall", "f1"} & set(found)
    if len(true):
        assert found["accuracy"] == (predicted == true).mean()


@given(MANY, st.integers(0, 2))
def test_a_class_alone_is_the_binary_case_of_it_against_the_rest(matrix, one):
    rest = [place for place in range(4) if place != one]
    halves = [[matrix[np.ix_(a, b)].sum() for b in (rest, [one])] for a in (rest, [one])]
    against = values(binary_scores(np.array(halves)))
    assert values(class_scores(matrix, one)) == {
        name: against[name] for name in ("precision", "recall", "f1") if name in against
    }


def test_a_billion_billion_pairs_do_not_overflow():
    assert values(binary_scores(np.diag([2**60, 2**60])))["mcc"] == 1.0
