"""The series that a model may have, and which of them matter most: known before anything is sent (law 10)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Final, NamedTuple

from mlvitals.signals.measurement import Measurement
from mlvitals.signals.spec import Export, MetricSpec, Status

# A version stands on every series; who may have one at a time is another question.
_IDENTITY: Final = frozenset({"model", "model_version", "environment"})
_LEVELS: Final = tuple(Export)
_BOUNDS: Final = ("lower", "upper")

Key = tuple[str, frozenset[tuple[str, str]]]  # a signal, and its attributes without the identity and the segment


class Rank(IntEnum):
    """What matters more comes first; the base never leaves."""

    BASE = 0
    SIGNAL = 1
    SEGMENT = 2
    FEATURE = 3
    FEATURE_IN_SEGMENTS = 4


class Unit(NamedTuple):
    """Series that stay or leave together: those of a signal, a segment or a feature, by its place among its like."""

    rank: Rank
    place: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordering:
    """What says which of a model's series matter more.

    signals: every signal's metadata, in registry order. features: those that matter most first. segments: every
    segment that there can be, as `column=value`, in the configuration's order. level: the export level.
    """

    signals: Mapping[str, MetricSpec]
    features: Sequence[str]
    segments: Sequence[str]
    level: Export


@dataclass(frozen=True, kw_only=True)
class Demand:
    """All series that one version of a model may have, each with the unit that it belongs to.

    whole: of all its predictions. parted: of those of one segment, whichever; the unit of what is about no feature is
    then the segment's own. segments: those that there can be, in their order. moving: those that have a point only
    while they warn.
    """

    whole: Mapping[Key, Unit]
    parted: Mapping[Key, Unit | None]
    segments: Sequence[str]
    moving: frozenset[Key]

    @cached_property
    def units(self) -> Mapping[Unit, int]:
        """How many series each unit has, the one that matters most first."""
        sizes: dict[Unit, int] = {}
        for unit in self.whole.values():
            sizes[unit] = sizes.get(unit, 0) + 1
        for own in self.parted.values():
            for unit in self._segment_units if own is None else (own,):
                sizes[unit] = sizes.get(unit, 0) + (1 if own is None else len(self.segments))
        return dict(sorted(sizes.items()))

    @property
    def base(self) -> int:
        """How many series never leave."""
        return sum(size for unit, size in self.units.items() if unit.rank is Rank.BASE)

    @property
    def total(self) -> int:
        """How many series there can be."""
        return sum(self.units.values())

    @cached_property
    def _segment_units(self) -> Sequence[Unit]:
        return [Unit(Rank.SEGMENT, place, segment) for place, segment in enumerate(self.segments)]

    @cached_property
    def _unit_of_segment(self) -> Mapping[str, Unit]:
        return {unit.name: unit for unit in self._segment_units}

    def unit_of(self, name: str, attributes: Mapping[str, str]) -> Unit | None:
        """Return the unit of a point's series, None where no such series was foreseen."""
        segment = attributes.get("segment")
        own = frozenset(pair for pair in attributes.items() if pair[0] not in _IDENTITY and pair[0] != "segment")
        if segment is None:
            return self.whole.get((name, own))
        key = (name, own)
        if segment not in self._unit_of_segment or key not in self.parted:
            return None
        return self.parted[key] or self._unit_of_segment[segment]


def demand_of(whole: Iterable[Measurement], parted: Iterable[Measurement], ordering: Ordering) -> Demand:
    """Return the demand of a model of which these are all measurements that there can be.

    whole: of all its predictions. parted: of those of one segment, whichever it is; attributes may name it.

    Raises:
        KeyError: a signal or a feature is not in the ordering.

    """
    places = {name: place for place, name in enumerate(ordering.signals)}
    features = {name: place for place, name in enumerate(ordering.features)}

    def unit(key: Key, *, is_base: bool) -> Unit:
        name, attributes = key
        feature = dict(attributes).get("feature")
        if feature is not None:
            return Unit(Rank.FEATURE, features[feature], feature)
        return Unit(Rank.BASE, 0, "") if is_base else Unit(Rank.SIGNAL, places[name], name)

    leaving = list(_keys(whole, ordering))
    of_all = {key: unit(key, is_base=quiet is Export.LEAN and "bound" not in dict(key[1])) for key, quiet in leaving}
    of_one: dict[Key, Unit | None] = {}
    for key, quiet in _keys(parted, ordering) if ordering.segments else ():
        feature = dict(key[1]).get("feature")
        of_one[key] = None if feature is None else Unit(Rank.FEATURE_IN_SEGMENTS, features[feature], feature)
        leaving.append((key, quiet))
    moving = frozenset(key for key, quiet in leaving if not _leaves(quiet, ordering.level))
    return Demand(whole=of_all, parted=of_one, segments=tuple(ordering.segments), moving=moving)


def united(demands: Sequence[Demand]) -> Demand:
    """Return what covers each of some demands of one model, whose versions or states differ in what they measure.

    Raises:
        ValueError: there is none.

    """
    if not demands:
        raise ValueError("nothing to unite")
    whole: dict[Key, Unit] = {}
    parted: dict[Key, Unit | None] = {}
    for one in demands:
        whole |= one.whole
        parted |= one.parted
    longest = max(demands, key=lambda one: len(one.segments))
    moving = frozenset.union(*(one.moving for one in demands))
    return Demand(whole=whole, parted=parted, segments=longest.segments, moving=moving)


def _keys(measurements: Iterable[Measurement], ordering: Ordering) -> Iterator[tuple[Key, Export]]:
    """Yield the series that measurements may have, each with the least level at which it leaves while nothing warns."""
    for one in measurements:
        spec = ordering.signals[one.signal]
        quiet = spec.level_of(one.attributes, Status.OK)
        if _leaves(min(quiet, _level_if_moved(spec, one.attributes), key=_LEVELS.index), ordering.level):
            own = frozenset((name, value) for name, value in one.attributes.items() if name != "segment")
            yield (one.signal, own), quiet
            for bound in _bounds(one, ordering.level):
                yield (one.signal, own | {("bound", bound)}), quiet


def _bounds(one: Measurement, level: Export) -> Sequence[str]:
    # An interval may be open on one side today and on the other tomorrow.
    return _BOUNDS if level is Export.FULL and (one.lower is not None or one.upper is not None) else ()


def _level_if_moved(spec: MetricSpec, attributes: Mapping[str, str]) -> Export:
    may_warn = spec.warning is None or spec.judges(attributes)
    return spec.level_of(attributes, Status.WARNING if may_warn else Status.OK)


def _leaves(least: Export, level: Export) -> bool:
    return _LEVELS.index(least) <= _LEVELS.index(level)
