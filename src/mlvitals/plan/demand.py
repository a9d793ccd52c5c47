"""How many series a model may have: counted from a saturated window, not estimated."""

from collections.abc import Sequence
from dataclasses import dataclass

from mlvitals.plan.importance import by_importance
from mlvitals.plan.windows import Monitored, Saturated, saturated_windows
from mlvitals.signals.spec import Export
from mlvitals.telemetry import Demand, Ordering, demand_of, united


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a model demands, and the windows that tell it, one for each version that differs.

    learns: no layout is frozen yet, and the demand is that of the time until there is one.
    """

    demand: Demand
    windows: Sequence[Saturated]
    learns: bool


def measure_demand(model: Monitored, level: Export) -> Measured:
    """Return what a model demands at an export level."""
    windows = list(saturated_windows(model))
    references = model.judge.references
    frozen = references.operating or next(iter(references.training.values()), None)
    layout = model.layouts[0]
    ordering = Ordering(
        signals=model.judge.signals.specs,
        features=by_importance(layout, model.important, None if frozen is None else frozen.summary),
        segments=windows[0].segments,
        level=level,
    )
    demands = [demand_of(*one.measurements, ordering) for one in windows]
    return Measured(demand=united(demands), windows=windows, learns=references.layout("") is None)
