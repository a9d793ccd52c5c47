"""What a configuration may say of costs, and what it may not."""

import msgspec
import pytest

from mlvitals.config.cost import CostConfig


def read(written):
    return msgspec.convert({"currency": "USD", **written}, CostConfig)


def test_an_amount_is_a_feature_or_the_field_of_events():
    assert read({"false_negative": {"amount": "features.amount", "recovery": 0.2}}).amount == "features.amount"
    assert read({"false_positive": {"amount": True}}).amount == "amount"
    assert read({"false_negative": 3, "false_positive": 5.0}).amount is None


def test_downtime_is_a_price_of_failed_requests_or_of_hours_too():
    prices = [
        (one.per_failed_request, one.per_silent_hour)
        for one in map(
            read,
            ({"downtime": 0.5}, {"downtime": {"per_hour": 400}}, {"downtime": {"per_request": 0.5, "per_hour": 400}}),
        )
    ]
    assert prices == [(0.5, 0.0), (0.0, 400.0), (0.5, 400.0)]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({}, "nothing has a price"),
        ({"false_negative": {"amount": False}}, "or true"),
        ({"false_negative": {"amount": "amount"}}, "must name a feature, as `features.amount`"),
        ({"false_negative": {"amount": True, "recovery": 1.5}}, "<= 1"),
        ({"false_positive": -1}, ">= 0"),
        (
            {"false_negative": {"amount": "features.a"}, "false_positive": {"amount": "features.b"}},
            "one amount, not `features.a` and `features.b`",
        ),
        ({"false_positive": 1, "regression": {"over": 1}}, "it has no false positives"),
        ({"regression": {}}, "give either `per_unit_error`, or `over` and `under`"),
        ({"regression": {"per_unit_error": 1, "over": 1}}, "give either `per_unit_error`, or `over` and `under`"),
        ({"downtime": {}}, "`downtime` has no price: give `per_request`, `per_hour`, or both"),
        ({"downtime": {"per_hour": -1}}, ">= 0"),
        ({"downtime": {"hour": 1}}, "unknown field `hour`"),
        ({"false_positive": 1, "profit": 2}, "unknown field `profit`"),
    ],
)
def test_what_makes_no_sense_is_refused(written, message):
    with pytest.raises(msgspec.ValidationError, match=message):
        read(written)
