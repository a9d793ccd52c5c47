"""From the configuration to the terms on which cohorts are priced."""

from mlvitals.config import ModelConfig
from mlvitals.config.cost import AmountConfig
from mlvitals.signals.cost_terms import CostTerms, Term


def terms_of(model: ModelConfig) -> CostTerms | None:
    """Return what a model's mistakes cost, None where the configuration does not say."""
    cost = model.cost
    if cost is None:
        return None
    over = under = None
    if (errors := cost.regression) is not None:
        over, under = (errors.over, errors.under) if errors.per_unit_error is None else (errors.per_unit_error,) * 2
    return CostTerms(
        currency=cost.currency,
        false_negative=_term(cost.false_negative),
        false_positive=_term(cost.false_positive),
        review=cost.review,
        over=over,
        under=under,
        failed_request=cost.per_failed_request,
        silent_hour=cost.per_silent_hour,
    )


def _term(price: float | AmountConfig | None) -> Term | None:
    if price is None:
        return None
    return Term(of_amount=1 - price.recovery) if isinstance(price, AmountConfig) else Term(each=price)
