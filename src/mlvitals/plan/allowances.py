"""What each model may send, from the moment at which its reference is known."""

from collections.abc import Callable, Iterable, Mapping

from mlvitals.config import BudgetConfig
from mlvitals.plan.demand import measure_demand
from mlvitals.plan.windows import Monitored
from mlvitals.signals.spec import Export
from mlvitals.telemetry import Allowance, Demand, SeriesBudget


class Allowances:
    """Hands out the budget of a configuration, model by model; what a model was given stays, as its reference does.

    monitored: returns what a model's series depend on, by its name.
    """

    def __init__(self, budget: BudgetConfig, monitored: Callable[[str], Monitored]) -> None:
        self._level = Export(budget.export)
        self._monitored = monitored
        self._series = SeriesBudget(budget.series, budget.versions)
        self._bounded = budget.series is not None
        self._layouts: dict[str, str] = {}

    def begin(self, models: Iterable[str]) -> None:
        """Hand out to all models that run by now, in this order; without a bound each is asked once it sends.

        A model whose demand cannot be measured is left to fail for itself, as it will with its first window.
        """
        if not self._bounded:
            return
        demands: dict[str, Demand] = {}
        for name in in_order({name: self._monitored(name) for name in models}):
            try:
                demands[name] = self._demand(name)
            except Exception:  # noqa: BLE001, S112  # whatever is wrong with one model, others go on
                continue
        self._series.begin(demands)

    def __call__(self, name: str) -> Allowance:
        """Return what a model may send; one that has come, or has learnt its reference, is given its share now."""
        granted = self._series.of(name)
        if granted is None or self._layouts[name] != _layout_of(self._monitored(name)):
            return self._series.join(name, self._demand(name))
        return granted

    def _demand(self, name: str) -> Demand:
        model = self._monitored(name)
        self._layouts[name] = _layout_of(model)
        return measure_demand(model, self._level).demand


def in_order(models: Mapping[str, Monitored]) -> list[str]:
    """Return the names in the order in which the budget is handed out: as they stand, those that learn after others.

    For what a model needs that learns its reference is not known before, and must then take nothing from others.
    """
    return sorted(models, key=lambda name: models[name].learns)


def _layout_of(model: Monitored) -> str:
    layout = model.judge.references.layout("")
    return "" if layout is None else layout.hash
