"""What mistakes cost, as a configuration says it."""

from typing import Annotated

import msgspec

from mlvitals import wire

Price = Annotated[float, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Text = Annotated[str, msgspec.Meta(min_length=1)]


class AmountConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A mistake that costs what was at stake.

    amount: `features.NAME`, the feature that holds it; or true for the event field `amount`: the label's, else the
    prediction's. recovery: the share of it that comes back.
    """

    amount: bool | Text
    recovery: Share = 0.0

    def __post_init__(self) -> None:
        if self.amount is False:
            raise ValueError("`amount` is a feature, as `features.NAME`, or true")
        if isinstance(self.amount, str) and not self.amount.startswith(wire.FEATURE_PREFIX):
            raise ValueError(f"`amount` must name a feature, as `features.{self.amount}`, or be true")

    @property
    def column(self) -> str:
        """The column of events that holds it."""
        return self.amount if isinstance(self.amount, str) else wire.AMOUNT


class ErrorConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What each unit costs by which a regression is off: `per_unit_error` either way, or `over` and `under`."""

    per_unit_error: Price | None = None
    over: Price | None = None
    under: Price | None = None

    def __post_init__(self) -> None:
        apart = self.over is not None or self.under is not None
        if (self.per_unit_error is not None) == apart:
            raise ValueError("give either `per_unit_error`, or `over` and `under`")


class DowntimeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What it costs not to serve: `per_request` that failed; `per_hour` without any prediction where some are usual."""

    per_request: Price = 0.0
    per_hour: Price = 0.0

    def __post_init__(self) -> None:
        if not self.per_request and not self.per_hour:
            raise ValueError("`downtime` has no price: give `per_request`, `per_hour`, or both")


class CostConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the mistakes of a model cost, in one currency.

    false_negative, false_positive: of a binary model, a price each, or an amount. review: of each prediction that is
    acted on as positive. regression: of what is off by a number. downtime: of each request that failed, or more.
    """

    currency: Text
    false_negative: Price | AmountConfig | None = None
    false_positive: Price | AmountConfig | None = None
    review: Price = 0.0
    regression: ErrorConfig | None = None
    downtime: Price | DowntimeConfig = 0.0

    def __post_init__(self) -> None:
        mistakes = (self.false_negative, self.false_positive)
        columns = {one.column for one in mistakes if isinstance(one, AmountConfig)}
        if len(columns) > 1:
            raise ValueError(
                f"both mistakes must have one amount, not {' and '.join(f'`{one}`' for one in sorted(columns))}"
            )
        binary = any(one is not None for one in mistakes) or self.review
        if binary and self.regression is not None:
            raise ValueError("`regression` is for a model that predicts a number; it has no false positives")
        if not binary and self.regression is None and not self.downtime:
            raise ValueError("nothing has a price: give `false_negative`, `false_positive`, `review` or `regression`")

    @property
    def amount(self) -> str | None:
        """The column of events that says what a prediction has at stake, None where every price is fixed."""
        mistakes = (self.false_negative, self.false_positive)
        return next((one.column for one in mistakes if isinstance(one, AmountConfig)), None)

    @property
    def per_failed_request(self) -> float:
        """The price of a request that failed."""
        return self.downtime.per_request if isinstance(self.downtime, DowntimeConfig) else self.downtime

    @property
    def per_silent_hour(self) -> float:
        """The price of an hour without any prediction."""
        return self.downtime.per_hour if isinstance(self.downtime, DowntimeConfig) else 0.0
