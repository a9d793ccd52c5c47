"""What an incident costs a day: told with its page, where it was said what a model's mistakes cost."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from mlvitals.decisions.episode import Happening, Harm
from mlvitals.decisions.finding import Detector
from mlvitals.signals.at_risk import COST_AT_RISK
from mlvitals.signals.cost import COST_TOTAL
from mlvitals.signals.cost_terms import CostTerms
from mlvitals.signals.spec import Evidence

_DAY: Final = 86_400.0
_HOURS: Final = 24.0
# What these find is known by labels. All else is found before there are any, or because there are none.
_BY_LABELS: Final = frozenset({Detector.PERFORMANCE, Detector.COST})


def expected_harm(windows: Iterable[Evidence]) -> Harm | None:
    """Return what the versions of a window are expected to cost together, and would usually, each a day.

    A version with fewer rows than its estimate needs is left out; None where nothing can be expected.
    """
    total, usual, currency = 0.0, 0.0, ""
    for evidence in windows:
        for reading in COST_AT_RISK.compute(evidence):
            ordinary = reading.evidence.get("usual")
            if reading.samples < COST_AT_RISK.spec.minimum_samples or not isinstance(ordinary, float):
                continue
            currency = reading.attributes["currency"]
            total += reading.value * _DAY / evidence.seconds
            usual += ordinary * _DAY / evidence.seconds
    return Harm(currency=currency, per_day=total, usual=usual) if currency else None


def outage_harm(terms: CostTerms) -> Harm | None:
    """Return what a day costs in which nothing is served; None where that has no price."""
    if not terms.silent_hour:
        return None
    return Harm(currency=terms.currency, per_day=terms.silent_hour * _HOURS, usual=0.0)


def known_harm(cohort: Evidence) -> Harm | None:
    """Return what a cohort's mistakes that labels have shown cost a day; None where too few labels have come."""
    for reading in COST_TOTAL.compute(cohort):
        coverage = reading.evidence.get("coverage")
        if reading.samples >= COST_TOTAL.spec.minimum_samples and isinstance(coverage, float):
            per_day = reading.value * _DAY / cohort.seconds
            return Harm(currency=reading.attributes["currency"], per_day=per_day, coverage=coverage)
    return None


def with_harm(
    happenings: Sequence[Happening], expected: Callable[[], Harm | None], known: Callable[[], Harm | None]
) -> list[Happening]:
    """Return happenings, those that page with their harm: as labels have shown it, or as it is expected before."""

    def told(one: Happening) -> Happening:
        if not one.what.pages or one.finding is None:
            return one
        by_labels = one.finding.source.detector in _BY_LABELS
        return replace(one, harm=known() if by_labels else expected())

    return [told(one) for one in happenings]
