"""Datadog's query language as far as boards and monitors speak it: read strictly, and answered from series.

Written from Datadog's documentation of metric queries and metric monitors. A scope is either a list with commas, in
which every filter must hold, or filters with AND, each of which may be alternatives in parentheses with OR. A value may
end with `*`. A series without a tag of a group is overlooked, as by Datadog.
"""

import operator
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from tests.intake.datadog import is_normal

Series = Mapping[tuple[str, frozenset[str]], Mapping[int, float]]
Group = tuple[str, ...]

_SELECTOR: Final = re.compile(
    r"(?P<space>max|min|sum|avg):(?P<metric>[a-z][a-z0-9_.]*)\{(?P<scope>[^{}]+)\}(?: by \{(?P<by>[a-z0-9_,]+)\})?"
)
_FILTER: Final = re.compile(
    r"(?P<no>!?)(?:(?P<variable>\$[a-z][a-z0-9_]*)|(?P<key>[a-z][a-z0-9_]*):(?P<value>[^!$(),\s]+))"
)
_MONITOR: Final = re.compile(
    r"(?P<time>max|min|sum|avg)\(last_(?P<minutes>[1-9]\d*)m\):(?P<asked>.+) "
    r"(?P<compared>>=|<=|>|<) (?P<bar>-?\d[\d.e+]*)"
)
_AGGREGATES: Final[Mapping[str, Callable[[Iterable[float]], float]]] = {
    "max": max,
    "min": min,
    "sum": sum,
    "avg": fmean,
}
_COMPARED: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_LONGEST: Final = 10_080


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A tag that series must have, or must not. variable: a template variable instead, by which all may be chosen."""

    absent: bool
    variable: str
    key: str
    value: str

    def holds(self, tags: Iterable[str]) -> bool:
        if self.variable:
            return True
        wanted = f"{self.key}:{self.value}"
        found = any(tag.startswith(wanted[:-1]) if wanted.endswith("*") else tag == wanted for tag in tags)
        return found is not self.absent


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """What a graph asks for. scope: of each part one filter must hold. differences: growth, not the totals."""

    space: str
    metric: str
    scope: tuple[tuple[Filter, ...], ...]
    by: tuple[str, ...]
    differences: bool

    @property
    def filters(self) -> tuple[Filter, ...]:
        """All filters, whichever part they are of."""
        return tuple(one for part in self.scope for one in part)

    def answer(self, series: Series) -> dict[Group, dict[int, float]]:
        """Return by group the value at each second."""
        found: dict[Group, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
        for (metric, tags), points in series.items():
            group = _group(tags, self.by)
            if metric == self.metric and group is not None and self._takes(tags):
                for second, value in points.items():
                    found[group][second].append(value)
        values = {
            group: {second: _AGGREGATES[self.space](several) for second, several in sorted(points.items())}
            for group, points in found.items()
        }
        return {group: dict(_growth(points)) for group, points in values.items()} if self.differences else values

    def _takes(self, tags: Iterable[str]) -> bool:
        return all(any(one.holds(tags) for one in part) for part in self.scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A metric monitor's query."""

    time: str
    seconds: int
    asked: Selector
    compared: str
    bar: float

    def states(self, series: Series, now: int) -> dict[Group, bool | None]:
        """Return by group whether it fires; None where there was a point once and none in the time looked at."""
        states: dict[Group, bool | None] = {}
        for group, points in self.asked.answer(series).items():
            recent = [value for second, value in points.items() if now - self.seconds < second <= now]
            states[group] = self._fires(recent) if recent else None
        return states

    def _fires(self, values: list[float]) -> bool:
        return _COMPARED[self.compared](_AGGREGATES[self.time](values), self.bar)


def read_selector(text: str) -> Selector:
    """Return a graph's query.

    Raises:
        ValueError: it is none.

    """
    differences = text.startswith("monotonic_diff(") and text.endswith(")")
    inner = text.removeprefix("monotonic_diff(").removesuffix(")") if differences else text
    found = _SELECTOR.fullmatch(inner)
    if found is None:
        raise ValueError(f"no query: {text}")
    by = tuple(found["by"].split(",")) if found["by"] else ()
    if len(set(by)) < len(by):
        raise ValueError(f"a tag twice: {text}")
    scope = tuple(_scope(found["scope"]))
    return Selector(space=found["space"], metric=found["metric"], scope=scope, by=by, differences=differences)


def read_alert(text: str) -> Alert:
    """Return a metric monitor's query.

    Raises:
        ValueError: it is none, or looks back for longer than Datadog lets it.

    """
    found = _MONITOR.fullmatch(text)
    if found is None or int(found["minutes"]) > _LONGEST:
        raise ValueError(f"no monitor: {text}")
    return Alert(
        time=found["time"],
        seconds=60 * int(found["minutes"]),
        asked=read_selector(found["asked"]),
        compared=found["compared"],
        bar=float(found["bar"]),
    )


def _scope(text: str) -> Iterator[tuple[Filter, ...]]:
    if text == "*":
        return
    if re.search(r" AND | OR ", text) and "," in text:
        raise ValueError(f"commas and words in one scope: {text}")
    for part in re.split(r" AND |,", text):
        several = part.startswith("(") and part.endswith(")")
        yield tuple(map(_filter, part[1:-1].split(" OR "))) if several else (_filter(part),)


def _filter(text: str) -> Filter:
    found = _FILTER.fullmatch(text)
    if found is None:
        raise ValueError(f"no filter: {text}")
    if found["key"] and found["value"] != "*" and not is_normal(f"{found['key']}:{found['value'].rstrip('*')}"):
        raise ValueError(f"not as it is stored: {text}")
    return Filter(
        absent=bool(found["no"]),
        variable=found["variable"] or "",
        key=found["key"] or "",
        value=found["value"] or "",
    )


def _group(tags: Iterable[str], by: Iterable[str]) -> Group | None:
    values = dict(tag.partition(":")[::2] for tag in tags)
    found = [values.get(key) for key in by]
    return tuple(one for one in found if one is not None) if None not in found else None


def _growth(points: Mapping[int, float]) -> Iterator[tuple[int, float]]:
    before: float | None = None
    for second, value in points.items():
        if before is not None:
            yield second, max(value - before, 0.0)
        before = value
