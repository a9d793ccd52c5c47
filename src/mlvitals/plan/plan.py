"""The plan: what each model sends to each destination, at most and in an ordinary window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil

import msgspec

from mlvitals.config import BudgetConfig, DecisionsConfig, PricesConfig
from mlvitals.decisions.allocation import ModelDemand
from mlvitals.delivery import Sink
from mlvitals.plan.allowances import in_order
from mlvitals.plan.demand import Measured, measure_demand
from mlvitals.plan.job import Job
from mlvitals.plan.money import monthly, rounded
from mlvitals.plan.pages import PagesPlan, plan_pages
from mlvitals.plan.volume import Volume, log_records, takes_points, volume_of_requests, volume_of_window, windows_of_day
from mlvitals.plan.windows import Monitored
from mlvitals.signals.spec import Export
from mlvitals.telemetry import Allowance, SeriesBudget, Service


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of an ordinary day, on which one version serves and nothing warns, and the most that there can be."""

    ordinary: int
    at_most: int


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """What the budget keeps back: a feature, a segment or a signal, and how many series."""

    kind: str
    name: str
    series: int


class ModelPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One model. demand: the series that it could have; series: those that it may send; base: those that never leave.

    learns: its reference is not known yet, and what is told holds until it is. fault: why nothing can be told.
    """

    model: str
    learns: bool = False
    fault: str | None = None
    demand: int = 0
    base: int = 0
    series: Range = Range(ordinary=0, at_most=0)
    points_per_day: Range = Range(ordinary=0, at_most=0)
    cut: tuple[Cut, ...] = ()


class Amount(msgspec.Struct, frozen=True, kw_only=True):
    """Money for a month: for each thing that has a price, and in all."""

    ordinary: Decimal
    at_most: Decimal


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What a model, or all of them, leave at a destination; events are log records or documents.

    content: bytes as they are stored; sent: bytes as they are sent.
    """

    series: Range
    points_per_day: Range
    events_per_day: Range
    content_per_day: Range
    sent_per_day: Range


class DestinationPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One destination: the loads by model, of the job itself and in all; the money by what it is for, with `total`."""

    destination: str
    models: Mapping[str, Load]
    job: Load
    total: Load
    currency: str | None = None
    money: Mapping[str, Amount] = {}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a configuration sends, and who may page.

    left: series that nobody was given; negative where not even the bases fit.
    """

    export: str
    versions: int
    budget: int | None
    left: int | None
    models: tuple[ModelPlan, ...]
    patterns: tuple[str, ...]
    destinations: tuple[DestinationPlan, ...]
    pages: PagesPlan

    @property
    def fits(self) -> bool:
        """Whether the base of every model is within the budget."""
        return self.left is None or self.left >= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A model that can be planned: what its series depend on, who speaks for it, and what its detectors ask for."""

    monitored: Monitored
    service: Service
    detectors: ModelDemand


@dataclass(frozen=True, slots=True)
class _Planned:
    known: Known
    measured: Measured
    allowance: Allowance

    @property
    def windows(self) -> Fraction:
        return windows_of_day(self.known.monitored.window)


def make_plan(
    models: Mapping[str, Known],
    faults: Mapping[str, str],
    patterns: Sequence[str],
    sinks: Sequence[Sink],
    job: Job,
    *,
    budget: BudgetConfig,
    decisions: DecisionsConfig,
    prices: PricesConfig | None,
) -> Plan:
    """Return the plan of models by name, in the configuration's order; `faults` says why others cannot be planned."""
    level = Export(budget.export)
    order = in_order({name: known.monitored for name, known in models.items()})
    measured = {name: measure_demand(models[name].monitored, level) for name in order}
    shares = SeriesBudget(budget.series, budget.versions)
    shares.begin({name: one.demand for name, one in measured.items()})
    granted = {name: shares.of(name) for name in order}
    planned = {
        name: _Planned(models[name], measured[name], allowance)
        for name, allowance in granted.items()
        if allowance is not None
    }
    return Plan(
        export=budget.export,
        versions=budget.versions,
        budget=budget.series,
        left=shares.left,
        models=(
            *(_model(name, planned[name]) for name in models),
            *(ModelPlan(model=name, fault=fault) for name, fault in faults.items()),
        ),
        patterns=tuple(patterns),
        destinations=tuple(_destination(sink, planned, job, budget.versions, prices) for sink in sinks),
        pages=plan_pages(
            decisions,
            [known.detectors for known in models.values()],
            {name: known.monitored.window.text for name, known in models.items()},
            frozenset(name for name, one in measured.items() if one.learns),
        ),
    )


def _model(name: str, one: _Planned) -> ModelPlan:
    allowance = one.allowance
    return ModelPlan(
        model=name,
        learns=one.measured.learns,
        demand=allowance.demand.total * allowance.versions,
        base=allowance.demand.base * allowance.versions,
        series=_series(one),
        points_per_day=_points(one),
        cut=tuple(
            Cut(kind=unit.rank.name.lower(), name=unit.name, series=size) for unit, size in allowance.cut.items()
        ),
    )


def _destination(
    sink: Sink, planned: Mapping[str, _Planned], job: Job, versions: int, prices: PricesConfig | None
) -> DestinationPlan:
    draws = takes_points(sink)
    days = {name: _day(sink, one) for name, one in planned.items()}
    day_of_job = Volume() if draws else volume_of_requests(sink.encode(job.points, [])) * job.times
    loads = {name: _load(one, days[name], versions, takes_points=draws) for name, one in planned.items()}
    of_job = _load_of_job(job if draws else None, day_of_job)
    total = _total([*loads.values(), of_job])
    asked = None if prices is None else prices.sinks.get(sink.name)
    if prices is None or asked is None:
        return DestinationPlan(destination=sink.name, models=loads, job=of_job, total=total)
    day = sum(days.values(), Volume())
    ordinary, most = (
        monthly(asked, series, volume + day_of_job)
        for series, volume in ((total.series.ordinary, day), (total.series.at_most, day * versions))
    )
    money = {name: Amount(ordinary=rounded(ordinary[name]), at_most=rounded(most[name])) for name in ordinary}
    money["total"] = Amount(
        ordinary=rounded(sum(ordinary.values(), Fraction(0))), at_most=rounded(sum(most.values(), Fraction(0)))
    )
    return DestinationPlan(
        destination=sink.name, models=loads, job=of_job, total=total, currency=prices.currency, money=money
    )


def _day(sink: Sink, one: _Planned) -> Volume:
    """Return the volume of a day on which one version serves: the one that has most to tell."""
    largest = max(one.measured.windows, key=lambda window: sum(len(part.measurements) for part in window.whole))
    records = log_records(largest, one.known.service, one.known.monitored.judge.signals)
    return volume_of_window(sink, records, len(largest.segments)) * one.windows


def _load(one: _Planned, day: Volume, versions: int, *, takes_points: bool) -> Load:
    nothing = Range(ordinary=0, at_most=0)

    def figure(amount: Fraction) -> Range:
        return Range(ordinary=ceil(amount), at_most=ceil(amount * versions))

    return Load(
        series=_series(one) if takes_points else nothing,
        points_per_day=_points(one) if takes_points else nothing,
        events_per_day=figure(day.events),
        content_per_day=figure(day.content),
        sent_per_day=figure(day.sent),
    )


def _load_of_job(draws: Job | None, day: Volume) -> Load:
    """Return what the job itself leaves; it has no ordinary day, for it tells everything each time."""

    def always(amount: Fraction | int) -> Range:
        return Range(ordinary=ceil(amount), at_most=ceil(amount))

    series = 0 if draws is None else len(draws.points)
    return Load(
        series=always(series),
        points_per_day=always(0 if draws is None else series * draws.times),
        events_per_day=always(day.events),
        content_per_day=always(day.content),
        sent_per_day=always(day.sent),
    )


def _series(one: _Planned) -> Range:
    return Range(ordinary=one.allowance.ordinary, at_most=one.allowance.series)


def _points(one: _Planned) -> Range:
    series = _series(one)
    return Range(ordinary=ceil(series.ordinary * one.windows), at_most=ceil(series.at_most * one.windows))


def _total(loads: Sequence[Load]) -> Load:
    def sum_of(name: str) -> Range:
        ranges: list[Range] = [getattr(load, name) for load in loads]
        return Range(ordinary=sum(one.ordinary for one in ranges), at_most=sum(one.at_most for one in ranges))

    return Load(**{name: sum_of(name) for name in Load.__struct_fields__})
