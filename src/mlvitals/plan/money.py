"""What a plan costs at the prices that a person gives: exact until it is rounded once, to hundredths."""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Final

from mlvitals.clock import DAY
from mlvitals.config import SinkPricesConfig
from mlvitals.plan.volume import DAYS_OF_MONTH, Volume

_MILLION: Final = 10**6
_GIGABYTE: Final = 10**9
_HUNDREDTHS: Final = 100


def monthly(prices: SinkPricesConfig, series: int, day: Volume) -> Mapping[str, Fraction]:
    """Return what a month costs, by what is asked for; nothing that has no price.

    series: how many are kept all the month long. day: the volume of a day. What is stored is that of `keep`, as it is
    once so much time has passed.
    """
    amounts = {
        "series": Fraction(series),
        "million_events": day.events * DAYS_OF_MONTH / _MILLION,
        "gigabyte": day.content * DAYS_OF_MONTH / _GIGABYTE,
        "gigabyte_month": day.content
        * Fraction(0 if prices.keep is None else prices.keep.microseconds, DAY)
        / _GIGABYTE,
    }
    asked = {name: getattr(prices, name) for name in amounts}
    return {name: amounts[name] * Fraction(price) for name, price in asked.items() if price is not None}


def rounded(amount: Fraction) -> Decimal:
    """Return an amount in hundredths, halves to the even one."""
    whole = round(amount * _HUNDREDTHS)  # of a fraction, Python rounds exactly, halves to even
    return (Decimal(whole) / _HUNDREDTHS).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
