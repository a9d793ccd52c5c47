"""What a decision's labels will come to, against all that could be enumerated, and how often it holds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom

from mlvitals.signals.arrival import Arrival
from mlvitals.signals.completion import Group, complete
from mlvitals.signals.delay_curve import Curve, curve_of


def curve(early, late):
    return Curve(early, late, early / (early + late), 0.0)


def arrival(negatives=None, positives=None, ever=None):
    return Arrival(negatives, positives, ever, complete=ever is None)


def completed(group, arrival):
    found = complete(group, arrival)
    assert found is not None
    return found


rates = st.builds(curve, st.floats(0.5, 200), st.floats(0.5, 200))


@settings(max_examples=60)
@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 300), st.none() | rates, st.none() | rates)
def test_each_outcome_is_as_likely_as_enumeration_says(negatives, positives, missing, of_negatives, of_positives):
    served = negatives + positives + missing
    group, known = Group(served, negatives, positives), arrival(of_negatives, of_positives)
    if of_negatives is None and of_positives is None:
        assert complete(group, known) is None
        return
    found = completed(group, known)
    outcomes = np.arange(positives, served - negatives + 1)
    chances = betabinom.pmf(outcomes, served, 0.5, 0.5)
    for rate, known, all_of_them in ((of_positives, positives, outcomes), (of_negatives, negatives, served - outcomes)):
        if rate is not None:
            chances = chances * betabinom.pmf(known, all_of_them, rate.early, rate.late)
    running = np.cumsum(chances) / chances.sum()
    places = np.searchsorted(running, (np.arange(len(found.positives)) + 0.5) / len(found.positives))
    assert np.abs(found.positives - outcomes[places]).max() <= 1  # on a step of the sum either side may be taken
    assert set(found.labelled) == {served}


def test_what_is_known_of_all_is_told_without_any_matured_cohort():
    found = completed(Group(30, 20, 10), arrival())
    assert (found.positives.tolist(), found.labelled.tolist()) == ([10.0], [30.0])


def test_no_label_so_far_is_not_no_label_to_come():
    found = completed(Group(5_000, 0, 0), arrival(positives=curve(30, 70)))
    assert np.median(found.positives) <= 2
    assert 4 <= np.quantile(found.positives, 0.975) <= 15


def test_both_classes_are_heard():
    group = Group(1_000, 300, 210)  # of about 600 and 400
    half, alone = curve(500, 500), []
    for one in (arrival(positives=half), arrival(negatives=half), arrival(half, half)):
        positives = completed(group, one).positives
        assert np.median(positives) == pytest.approx(410, abs=12)
        alone.append(np.ptp(np.quantile(positives, [0.025, 0.975])))
    assert alone[2] < min(alone[:2])


def test_millions_of_rows_are_looked_at_where_it_matters():
    found = completed(Group(5_000_000, 0, 2_700), arrival(positives=curve(27_000, 73_000)))
    assert np.median(found.positives) == pytest.approx(10_000, rel=0.01)
    assert np.quantile(found.positives, [0.025, 0.975]) == pytest.approx([9_630, 10_385], rel=0.01)


def test_labels_that_never_come_are_no_ones():
    some = arrival(positives=curve(400, 400), ever=curve(700, 300))
    found = completed(Group(1_000, 0, 100), some)
    assert np.mean(found.labelled) == pytest.approx(700, abs=10)
    assert np.std(found.labelled) > 15
    assert (found.positives <= found.labelled).all()
    assert np.median(found.positives) == pytest.approx(200, abs=5)


@pytest.mark.parametrize(("share", "likeness", "least"), [(0.3, 0.0, 0.95), (0.3, 0.03, 0.9), (0.8, 0.03, 0.9)])
def test_an_interval_from_a_few_cohorts_holds_what_comes(share, likeness, least):
    random = np.random.default_rng(11)
    held = count = 0
    for _ in range(300):
        final = random.poisson(60, 6)
        spread = 1 / likeness - 1 if likeness else 0
        chances = random.beta(share * spread, (1 - share) * spread, 6) if likeness else np.full(6, share)
        known = random.binomial(final, chances)
        learnt = curve_of(known[1:], final[1:])
        if learnt is not None:
            positives = completed(Group(20_000, 0, int(known[0])), arrival(positives=learnt)).positives
            lower, upper = np.quantile(positives, [0.025, 0.975])
            held += lower <= final[0] <= upper
            count += 1
    assert count > 290
    assert least <= held / count
