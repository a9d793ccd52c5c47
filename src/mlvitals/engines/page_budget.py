"""One page budget for all models that run."""

from collections.abc import Mapping, Sequence

from mlvitals.config import DecisionsConfig, ModelConfig, demand_of
from mlvitals.decisions.allocation import ModelDemand, ModelShares, allocate
from mlvitals.decisions.finding import Source


class PageBudget:
    """One page budget for all models that run, shared out anew as models come.

    versions: how many of a model's serve at a time.
    """

    def __init__(self, config: DecisionsConfig, versions: int) -> None:
        self.config = config
        self._versions = versions
        self._demands: dict[str, ModelDemand] = {}
        self._shares: Mapping[str, ModelShares] = {}

    def join(self, model: ModelConfig, features: Sequence[str], segments: Sequence[str]) -> None:
        """Let a model share in it, or change what it watches."""
        demand = demand_of(model, features, segments, self._versions)
        if self._demands.get(model.name) != demand:
            self._demands[model.name] = demand
            self._shares = {}

    def bar(self, source: Source, versions: int = 0) -> float:
        """Return log10 of what a detector's evidence has to reach, where so many versions serve at a time."""
        if not self._shares:
            self._shares = allocate(
                self.config.pages_per_week, self.config.weights.by_name, list(self._demands.values())
            )
        return self._shares[source.model].of(source, versions).bar
