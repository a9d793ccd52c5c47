"""The series budget: how many series each model may send, handed out so that nobody's series come and go."""

from collections.abc import Mapping
from dataclasses import dataclass

from mlvitals.telemetry.series import Demand, Rank, Unit


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """What one model may send: of its units the longest beginning that its grant can pay, always the base.

    versions: how many versions may send at a time; each costs the same.
    """

    demand: Demand
    kept: frozenset[Unit]
    versions: int

    @property
    def series(self) -> int:
        """The most series that leave, all versions together."""
        return self.versions * sum(size for unit, size in self.demand.units.items() if unit in self.kept)

    @property
    def ordinary(self) -> int:
        """How many series have a point in a window of one version in which every signal is defined and none warns."""
        demand = self.demand
        of_all = sum(unit in self.kept for key, unit in demand.whole.items() if key not in demand.moving)
        sizes = (
            sum(unit.rank is Rank.SEGMENT for unit in self.kept)
            if own is None
            else len(demand.segments) * (own in self.kept)
            for key, own in demand.parted.items()
            if key not in demand.moving
        )
        return of_all + sum(sizes)

    @property
    def cut(self) -> Mapping[Unit, int]:
        """The units that do not leave, the one that matters most first, each with its series for all versions."""
        return {unit: size * self.versions for unit, size in self.demand.units.items() if unit not in self.kept}

    def lets(self, name: str, attributes: Mapping[str, str]) -> bool:
        """Tell whether a point's series leaves; one that was not foreseen does not."""
        unit = self.demand.unit_of(name, attributes)
        return unit is not None and unit in self.kept


def allow(demand: Demand, versions: int, most: int | None) -> Allowance:
    """Return what a model may send with so many series beyond its base; None for all.

    Units stay in their order until the first that is too large: what matters less never takes its place, so that more
    budget only ever adds.
    """
    kept: set[Unit] = set()
    for unit, size in demand.units.items():
        if unit.rank is not Rank.BASE and most is not None:
            most -= size * versions
            if most < 0:
                break
        kept.add(unit)
    return Allowance(demand=demand, kept=frozenset(kept), versions=versions)


class SeriesBudget:
    """Hands the series of a configuration to its models.

    The base of every model that is known at the beginning is set aside first; what is left goes to the models in the
    order in which they stand, each as much as it needs and there is. So where nothing is left, a new model takes its
    base from the last one that has more, and the first ones do not notice. A model that comes later takes its base,
    and of the rest what is left: nothing is taken from others while they run.

    series: how many there may be, None for as many as there are. versions: of a model, how many send at a time.
    """

    def __init__(self, series: int | None, versions: int) -> None:
        self._versions = versions
        self._left = series
        self._granted: dict[str, Allowance] = {}

    @property
    def left(self) -> int | None:
        """What nobody has been given; negative where not even the base of all models fits, None without a budget."""
        return self._left

    def begin(self, demands: Mapping[str, Demand]) -> None:
        """Hand out to models, by name, that are all known before anything is sent."""
        if self._left is not None:
            self._left -= self._versions * sum(demand.base for demand in demands.values())
        for model, demand in demands.items():
            self._grant(model, demand)

    def join(self, model: str, demand: Demand) -> Allowance:
        """Hand out to a model that comes later, or whose demand has changed: it gives back what it had."""
        before = self._granted.pop(model, None)
        if self._left is not None:
            self._left += 0 if before is None else before.series
            self._left -= demand.base * self._versions
        return self._grant(model, demand)

    def of(self, model: str) -> Allowance | None:
        """Return what a model was given, None where it has not come yet."""
        return self._granted.get(model)

    def _grant(self, model: str, demand: Demand) -> Allowance:
        granted = allow(demand, self._versions, self._left)
        if self._left is not None:
            self._left -= granted.series - demand.base * self._versions
        self._granted[model] = granted
        return granted
