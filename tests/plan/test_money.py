from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.config import Duration, SinkPricesConfig
from mlvitals.plan.money import monthly, rounded
from mlvitals.plan.volume import Volume


def test_every_price_is_taken_exactly():
    prices = SinkPricesConfig(
        series=Decimal("0.05"),
        million_events=Decimal("1.7"),
        gigabyte=Decimal("0.1"),
        gigabyte_month=Decimal("0.024"),
        keep=Duration("90d"),
    )
    day = Volume(events=Fraction(2_400), content=Fraction(1_500_000_000), sent=Fraction(1))
    assert monthly(prices, 1_337, day) == {
        "series": Fraction(6685, 100),
        "million_events": Fraction(2_400) * Fraction(1461, 48) * Fraction(17, 10) / 10**6,
        "gigabyte": Fraction(1461, 48) * Fraction(15, 100),
        "gigabyte_month": Fraction(135) * Fraction(24, 1000),
    }


def test_what_has_no_price_costs_nothing_and_is_not_told():
    assert monthly(SinkPricesConfig(), 1_000, Volume(Fraction(1), Fraction(1), Fraction(1))) == {}
    assert monthly(SinkPricesConfig(series=Decimal(0)), 1_000, Volume()) == {"series": 0}


@given(cents=st.integers(0, 10**15))
def test_whole_cents_stay_what_they_are(cents):
    assert rounded(Fraction(cents, 100)) == Decimal(cents).scaleb(-2)


@pytest.mark.parametrize(("amount", "told"), [("1/200", "0.00"), ("3/200", "0.02"), ("1/3", "0.33"), ("2/3", "0.67")])
def test_the_rest_is_rounded_once_halves_to_even(amount, told):
    assert str(rounded(Fraction(amount))) == told


@given(price=st.decimals(0, 100, places=4), series=st.integers(0, 10**9))
def test_no_binary_fraction_comes_in_between(price, series):
    assert monthly(SinkPricesConfig(series=price), series, Volume())["series"] == Fraction(price) * series
