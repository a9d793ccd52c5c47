"""What a cohort's mistakes cost, once labels have come, and what the best threshold would have saved."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import isfinite, sqrt
from typing import Final, NamedTuple

import numpy as np

from mlvitals.signals.cost_terms import CostTerms, Term
from mlvitals.signals.proportion import NORMAL_95
from mlvitals.signals.share import RATIO_ROWS
from mlvitals.signals.spec import Evidence, Export, Layer, MetricSpec, Orientation, Reading, Stage, Statistic
from mlvitals.windows.layout import Task
from mlvitals.windows.outcome_amounts import amount_of, amounts_by_score, unpriced
from mlvitals.windows.summary import Counts, Outcome, Summary

_NOTHING: Final = Term()


class _Part(NamedTuple):
    """What one kind of mistake cost: the sum over rows, the sum of squares, and the rows whose amount is not known."""

    total: float
    squares: float
    unpriced: int = 0


class _Bill(NamedTuple):
    """What a cohort cost: by what labels say, over its labelled rows; and by what was served, over all of it."""

    of_labels: Mapping[str, _Part]
    of_served: Mapping[str, _Part]
    labelled: int
    served: int

    @property
    def total(self) -> float:
        return sum(part.total for part in (*self.of_labels.values(), *self.of_served.values()))


def _bill(evidence: Evidence) -> _Bill | None:
    """Return what a cohort cost; None where no label came, or nothing of it has a price."""
    outcome, terms = evidence.outcome, evidence.costs
    if outcome is None or terms is None or evidence.maturity is None or outcome.judged == 0:
        return None
    match outcome.layout.output.task:
        case Task.BINARY if terms.prices_decisions:
            of_labels = {
                "false_negative": _mistakes(outcome, terms.false_negative, 0, 1),
                "false_positive": _mistakes(outcome, terms.false_positive, 1, 0),
            }
            labelled = outcome.judged
        case Task.REGRESSION if terms.prices_errors and outcome.measured:
            of_labels = _errors(outcome, terms)
            labelled = outcome.measured
        case _:
            return None
    of_served = served_costs(evidence.current, terms)
    priced = {name: part for name, part in of_labels.items() if part is not None}
    if not all(isfinite(part.total) and isfinite(part.squares) for part in priced.values()):
        return None
    return _Bill(priced, of_served, labelled, evidence.current.predictions)


class Mistakes(NamedTuple):
    """What the mistakes that labels have shown cost: of so many predictions, in all, and the sum of squares."""

    rows: int
    total: float
    squares: float


def known_mistakes(evidence: Evidence) -> Mistakes | None:
    """Return what a cohort's known mistakes cost at a maturity; None where no label came, or nothing has a price."""
    bill = _bill(evidence)
    if bill is None:
        return None
    parts = bill.of_labels.values()
    return Mistakes(bill.labelled, sum(part.total for part in parts), sum(part.squares for part in parts))


def _mistakes(outcome: Outcome, term: Term | None, predicted: int, true: int) -> _Part | None:
    if term is None:
        return None
    rows = int(outcome.confusion[predicted, true])
    if not term.of_amount:
        return _Part(rows * term.each, rows * term.each**2)
    if not outcome.has("amount"):  # the window began before amounts were asked for
        return _Part(0.0, 0.0, rows)
    squared = outcome.total("missed_squared" if true else "false_squared")
    total = float(amount_of(outcome, predicted, true) * Fraction(term.of_amount))
    return _Part(total, squared * term.of_amount**2, unpriced(outcome, predicted, true))


def _errors(outcome: Outcome, terms: CostTerms) -> dict[str, _Part | None]:
    """Return the cost of being above and below the truth: Σ|e| and Σe are both exact, and so is half their sum."""
    absolute, signed = outcome.exact_total("absolute"), outcome.exact_total("signed")
    prices = {"over": (terms.over, (absolute + signed) / 2), "under": (terms.under, (absolute - signed) / 2)}
    dearest = max(price or 0.0 for price, _ in prices.values())
    # Squares are not kept by side: at the dearer price all of them together are no fewer. They stand with one part.
    squares = {"over" if terms.over == dearest else "under": outcome.total("squared") * dearest**2}
    return {
        name: None if price is None else _Part(float(off * Fraction(price)), squares.get(name, 0.0))
        for name, (price, off) in prices.items()
    }


def served_costs(summary: Summary, terms: CostTerms) -> dict[str, _Part]:
    """Return what a window costs whatever its labels will say: reviews of positive decisions, and failed requests."""
    found = {}
    if terms.review and summary.layout.output.task is Task.BINARY:
        rows = positive_decisions(summary)
        found["review"] = _Part(rows * terms.review, rows * terms.review**2)
    if terms.failed_request:
        found["downtime"] = _Part(summary.errors * terms.failed_request, summary.errors * terms.failed_request**2)
    return found


def positive_decisions(summary: Summary) -> int:
    """Return how many predictions of a binary task were positive: by their class, else by their score."""
    classes, positive = summary.classes, summary.layout.output.positive
    if classes is not None and positive in summary.layout.outcome_classes:
        names = [classes.bins.label(place) for place in range(classes.bins.size)]
        if positive in names:
            return int(classes.counts[names.index(positive)])
    decisions = summary.decisions_by_score
    return 0 if decisions is None else int(decisions[1].sum())


def _total(evidence: Evidence) -> Iterator[Reading]:
    bill = _bill(evidence)
    if bill is not None:
        parts = {**bill.of_labels, **bill.of_served}
        yield _read(evidence, bill, bill.total, sum(part.squares for part in parts.values()))


def _per_prediction(evidence: Evidence) -> Iterator[Reading]:
    bill = _bill(evidence)
    if bill is None:
        return
    value = squares = 0.0
    for parts, rows in ((bill.of_labels, bill.labelled), (bill.of_served, bill.served)):
        value += sum(part.total for part in parts.values()) / max(1, rows)
        squares += sum(part.squares for part in parts.values()) / max(1, rows) ** 2
    yield _read(evidence, bill, value, squares)


def _read(evidence: Evidence, bill: _Bill, value: float, squares: float) -> Reading:
    """Return a cost with its interval: that of a sum of independent mistakes, whose variance is the sum of squares."""
    half = NORMAL_95 * sqrt(squares)
    least = min(0.0, value)
    parts = {**bill.of_labels, **bill.of_served}
    told: dict[str, float | str] = {name: part.total for name, part in parts.items()}
    told["coverage"] = bill.labelled / bill.served if bill.served else 0.0
    unknown = sum(part.unpriced for part in parts.values())
    if unknown:
        told["unpriced"] = float(unknown)
    return Reading(
        value=value,
        samples=bill.labelled,
        attributes=_attributes(evidence),
        lower=max(least, value - half),
        upper=value + half,
        evidence=told,
    )


def _attributes(evidence: Evidence) -> dict[str, str]:
    assert evidence.costs is not None  # noqa: S101  # there is a bill
    return {"maturity": evidence.maturity or "", "currency": evidence.costs.currency}


class _Best(NamedTuple):
    """The threshold that would have been cheapest, what it would have cost, and what the decisions did cost."""

    threshold: float
    cost: float
    paid: float


def _best(evidence: Evidence) -> _Best | None:
    """Return the cheapest threshold for the cohort's labels; None where not every one has a score, a decision, a price.

    Costs of all thresholds follow from the labels' counts and amounts by score bin; those between bins are not tried.
    """
    outcome, terms = evidence.outcome, evidence.costs
    if outcome is None or terms is None or _bill(evidence) is None or not outcome.has("negatives"):
        return None
    bins = outcome.layout.output.score
    counts = np.stack([outcome.negatives, outcome.positives])
    if bins is None or not bins.edges or counts.sum() != outcome.confusion[:2, :2].sum():
        return None
    if counts.sum() != outcome.judged or not _all_priced(outcome, terms):
        return None
    false, missed = _by_bin(outcome, counts, terms.false_positive, 0), _by_bin(outcome, counts, terms.false_negative, 1)
    acted = false + counts.sum(axis=0) * terms.review
    costs = np.cumsum(missed)[:-1] + (acted.sum() - np.cumsum(acted)[:-1])
    cheapest = int(np.argmin(costs))
    parts = (
        _mistakes(outcome, terms.false_negative, 0, 1),
        _mistakes(outcome, terms.false_positive, 1, 0),
    )
    paid = sum(part.total for part in parts if part is not None) + int(outcome.confusion[1].sum()) * terms.review
    return _Best(float(bins.edges[cheapest]), float(costs[cheapest]), paid)


def _all_priced(outcome: Outcome, terms: CostTerms) -> bool:
    if not any(term is not None and term.of_amount for term in (terms.false_negative, terms.false_positive)):
        return True
    return outcome.has("amount") and not any(unpriced(outcome, said, true) for said in (0, 1) for true in (0, 1))


def _by_bin(outcome: Outcome, counts: Counts, term: Term | None, true: int) -> np.ndarray:
    """Return what the labels of one kind would cost in each score bin, were all of them mistaken."""
    term = term or _NOTHING
    cost = counts[true] * term.each
    return np.asarray(cost + amounts_by_score(outcome)[true] * term.of_amount if term.of_amount else cost)


def _regret(evidence: Evidence) -> Iterator[Reading]:
    best = _best(evidence)
    if best is not None and evidence.outcome is not None:
        yield Reading(
            value=max(0.0, best.paid - best.cost),
            samples=evidence.outcome.judged,
            attributes=_attributes(evidence),
            evidence={"paid": best.paid, "at_best": best.cost, "best_threshold": best.threshold},
        )


def _threshold(evidence: Evidence) -> Iterator[Reading]:
    best = _best(evidence)
    if best is not None and evidence.outcome is not None:
        yield Reading(
            value=best.threshold,
            samples=evidence.outcome.judged,
            attributes=_attributes(evidence),
            evidence={"used": evidence.outcome.layout.output.threshold},
        )


def _spec(name: str, unit: str, brief: str, orientation: Orientation, level: Export) -> MetricSpec:
    return MetricSpec(
        name=name,
        unit=unit,
        brief=brief,
        layer=Layer.VALUE,
        stage=Stage.MATURITY,
        orientation=orientation,
        level=level,
        attributes=("maturity", "currency"),
        minimum_samples=RATIO_ROWS,
    )


COST_TOTAL: Final = Statistic(
    spec=_spec(
        "mlvitals.cost.total",
        "{currency}",
        "What the cohort's known mistakes cost, with its reviews and failed requests.",
        Orientation.LOWER,
        Export.LEAN,
    ),
    compute=_total,
)

COST_PER_PREDICTION: Final = Statistic(
    spec=_spec(
        "mlvitals.cost.per_prediction",
        "{currency}",
        "What mistakes cost for each labelled prediction, with reviews and failed requests for each served one.",
        Orientation.LOWER,
        Export.LEAN,
    ),
    compute=_per_prediction,
)

COST_REGRET: Final = Statistic(
    spec=_spec(
        "mlvitals.cost.regret",
        "{currency}",
        "What the cheapest threshold for these labels would have saved.",
        Orientation.LOWER,
        Export.STANDARD,
    ),
    compute=_regret,
)

COST_BEST_THRESHOLD: Final = Statistic(
    spec=_spec(
        "mlvitals.cost.best_threshold",
        "{score}",
        "The score from which on acting would have been cheapest for these labels.",
        Orientation.NEITHER,
        Export.STANDARD,
    ),
    compute=_threshold,
)
