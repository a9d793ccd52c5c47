"""What mistakes of a period are known to have cost, of every model that has a price."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from mlvitals.clock import parse_duration, parse_time
from mlvitals.decisions.paging_rate import Period
from mlvitals.signals.cost import COST_TOTAL
from mlvitals.signals.measurement import Measurement
from mlvitals.sinks.local import measurements
from mlvitals.state import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCost:
    """What a model's known mistakes cost in a period, with its reviews and failed requests.

    windows: of which any label had come. coverage: the share of what these served that is labelled.
    """

    model: str
    currency: str
    total: float
    windows: int
    coverage: float


def known_costs(store: Store, period: Period) -> list[KnownCost]:
    """Return the costs of a period's windows by model and currency, each window at its greatest maturity so far."""
    newest: dict[tuple[str, str, str, str], Measurement] = {}
    for one in measurements(store, signal=COST_TOTAL.spec.name, since=period.start):
        if parse_time(one.window_end) <= period.end and "segment" not in one.attributes:
            key = (one.model, one.attributes["currency"], one.model_version, one.window_start)
            known = newest.get(key)
            if known is None or _age(known) < _age(one):
                newest[key] = one
    found: dict[tuple[str, str], list[Measurement]] = defaultdict(list)
    for (model, currency, *_), one in newest.items():
        found[model, currency].append(one)
    return [_sum(model, currency, of) for (model, currency), of in sorted(found.items())]


def _sum(model: str, currency: str, of: list[Measurement]) -> KnownCost:
    labelled = sum(one.samples for one in of)
    served = sum(one.samples / coverage for one, coverage in _coverages(of))
    return KnownCost(
        model=model,
        currency=currency,
        total=sum(one.value or 0.0 for one in of),
        windows=len({one.window_start for one in of}),
        coverage=labelled / served if served else 0.0,
    )


def _coverages(of: list[Measurement]) -> Iterator[tuple[Measurement, float]]:
    for one in of:
        coverage = one.evidence.get("coverage")
        if isinstance(coverage, float) and coverage > 0:
            yield one, coverage


def _age(one: Measurement) -> int:
    return parse_duration(one.attributes["maturity"])
