"""Sums of money are exact, whatever their order, size or sign."""

import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlvitals.windows.amounts import LARGEST_AMOUNT, is_amount, read_money, read_monies, to_money

CENTS = st.lists(st.integers(-(10**13), 10**13), max_size=30)


@given(cents=CENTS, chance=st.randoms())
@example(cents=[867_757_244_819], chance=random.Random(0))
def test_cents_add_up_exactly_in_any_order_and_what_is_taken_back_leaves_nothing(cents, chance):
    money = to_money(np.array([one / 100 for one in cents], dtype=np.float64))
    assert read_money(money.sum(axis=1)) == Fraction(sum(cents), 100)
    shuffled = list(range(len(cents)))
    chance.shuffle(shuffled)
    assert (money[:, shuffled].sum(axis=1) == money.sum(axis=1)).all()
    assert not (money - money).any()


@pytest.mark.parametrize("amount", [LARGEST_AMOUNT, -LARGEST_AMOUNT])
def test_a_billion_of_the_largest_amounts_do_not_overflow(amount):
    rows = 10**9
    assert read_money(to_money(np.array([amount]))[:, 0] * rows) == Fraction(int(amount)) * rows


def test_what_is_no_number_or_too_large_is_no_amount():
    given_amounts = np.array([0.0, -1.5, np.nan, np.inf, -np.inf, LARGEST_AMOUNT, 2 * LARGEST_AMOUNT])
    assert is_amount(given_amounts).tolist() == [True, True, False, False, False, True, False]


def test_many_sums_are_read_at_once():
    amounts = np.array([[1.25, -3.0], [0.000001, 7e9]])
    assert read_monies(to_money(amounts.ravel()).reshape(2, 2, 2)).tolist() == amounts.tolist()
