"""When labels came, counted in bins that every cohort shares."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.clock import DAY, HOUR, MINUTE
from mlvitals.windows.delays import DELAY_AGES, DELAY_BINS, EARLY, ages_before, bins_within, delay_bins
from mlvitals.windows.outcomes import add_outcomes, contributions
from tests.windows.test_labels import BINARY, label, new_index, prediction

MATURITIES = np.array([DAY, 7 * DAY])


def count(labels):
    """Return the delays by bin at each maturity, of predictions with labels of (age, content)."""
    index = new_index()
    ids = [bytes([place]) for place in range(len(labels))]
    index.remember("m", [prediction(one) for one in ids])
    index.add_labels(
        "m",
        [label(one, time=age, content=says) for one, mine in zip(ids, labels, strict=True) for age, says in mine],
    )
    pairs = index.pairs("m", ids)
    outcomes = np.zeros((len(MATURITIES), BINARY.outcome_size), dtype=np.int64)
    add_outcomes(outcomes, BINARY, pairs, contributions(pairs, MATURITIES))
    return outcomes.cumsum(axis=0)[:, BINARY.outcome_sections["delays"]]


@given(st.integers(-2 * DAY, 400 * DAY))
def test_a_label_is_within_an_age_as_it_is_for_a_maturity(age):
    (found,) = delay_bins(np.array([age]))
    assert 0 <= found < DELAY_BINS
    assert [found < bins_within(one) for one in DELAY_AGES] == [age <= one for one in DELAY_AGES]
    assert (found == EARLY) == (age < 0)


def test_coverage_is_looked_at_three_times_before_the_first_maturity_if_that_is_long_enough():
    assert ages_before(7 * DAY) == ("6h", "1d", "3d")
    assert ages_before(DAY) == ("1h", "3h", "12h")
    assert ages_before(5 * MINUTE) == ("2m",)
    assert ages_before(MINUTE) == ()


def test_an_age_between_two_holds_what_came_by_the_lesser():
    assert bins_within(4 * DAY) == bins_within(3 * DAY)
    assert bins_within(0) == bins_within(MINUTE - 1) == 1


LABELS = st.lists(
    st.lists(
        st.tuples(st.sampled_from([-HOUR, 0, HOUR, DAY, DAY + 1, 5 * DAY, 7 * DAY, 8 * DAY]), st.sampled_from("01")),
        max_size=4,
    ).map(sorted),
    max_size=5,
)


@given(LABELS)
def test_delays_are_those_of_the_labels_that_count(labels):
    delays = count(labels)
    for bucket, maturity in enumerate(MATURITIES.tolist()):
        known = [[one for one in label if one[0] <= maturity] for label in labels]
        ages = np.array([one[-1][0] for one in known if one], dtype=np.int64)
        assert delays[bucket].tolist() == np.bincount(delay_bins(ages), minlength=DELAY_BINS).tolist()


def test_a_corrected_label_leaves_no_trace():
    assert count([[(HOUR, "1"), (DAY, "0")]]).tolist() == count([[(DAY, "0")]]).tolist()
    early, late = count([[(HOUR, "1"), (2 * DAY, "0")]])
    assert early[bins_within(HOUR) - 1] == late[bins_within(2 * DAY) - 1] == 1
    assert early.sum() == late.sum() == 1
