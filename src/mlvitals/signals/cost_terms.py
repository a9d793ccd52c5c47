"""What mistakes cost: the terms on which cohorts are priced."""

from dataclasses import dataclass
from typing import NamedTuple


class Term(NamedTuple):
    """The price of a mistake: so much each, and a share of what was at stake."""

    each: float = 0.0
    of_amount: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CostTerms:
    """What the mistakes of one model cost, in one currency.

    false_negative, false_positive: None where they have no price. review: of each positive decision. over, under: of
    each unit by which a number is above or below the truth, None where that has no price. failed_request: of each.
    silent_hour: of an hour without any prediction where some are usual.
    """

    currency: str
    false_negative: Term | None = None
    false_positive: Term | None = None
    review: float = 0.0
    over: float | None = None
    under: float | None = None
    failed_request: float = 0.0
    silent_hour: float = 0.0

    @property
    def prices_decisions(self) -> bool:
        """Whether what a binary model decides has a price."""
        return self.false_negative is not None or self.false_positive is not None or self.review > 0

    @property
    def prices_errors(self) -> bool:
        """Whether being off by a number has a price."""
        return self.over is not None or self.under is not None
