"""Late labels: what cohorts were worth at each age, with how many labels had come."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mlvitals.clock import parse_duration
from mlvitals.report.frame import ABSENT, STATUSES, Frame, Series
from mlvitals.report.names import shown
from mlvitals.report.numbers import brief_name, measured, moment
from mlvitals.signals.share import LABEL_COVERAGE_RATIO
from mlvitals.signals.spec import Stage, Status

_COHORTS_SHOWN: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cohort at an age: a value, its interval, the share of labels beside it. Empty texts: not defined."""

    value: str
    interval: str
    coverage: str
    status: Status | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Triangle:
    """A metric by cohort and age; a cell is None where the cohort is not of that age yet. Newest cohorts first."""

    title: str
    ages: Sequence[str]
    rows: Sequence[tuple[str, str, Sequence[Cell | None]]]
    cohorts: int


def triangles(frame: Frame) -> list[Triangle]:
    """Return a triangle for each performance metric; of the coverage alone where there is none."""
    coverage = {one.attributes["maturity"]: one for one in frame.of(LABEL_COVERAGE_RATIO.spec.name)}
    ages = sorted(coverage, key=parse_duration)
    metrics: dict[str, dict[str, Series]] = {}
    for one in frame.series.values():
        if one.spec.stage is Stage.MATURITY and "metric" in one.attributes and "class" not in one.attributes:
            title = f"{shown(one.attributes['metric'])} ({brief_name(one.spec)})"
            metrics.setdefault(title, {})[one.attributes.get("maturity", "")] = one
    if not metrics:
        metrics = {"label coverage": {}} if coverage else {}
    return [_triangle(title, frame, ages, of, coverage) for title, of in metrics.items()]


def _triangle(
    title: str, frame: Frame, ages: Sequence[str], metric: dict[str, Series], coverage: dict[str, Series]
) -> Triangle:
    rows = []
    for place in range(len(frame.windows) - 1, max(-1, len(frame.windows) - 1 - _COHORTS_SHOWN), -1):
        window = frame.windows[place]
        cells = [_cell(metric.get(age), coverage[age], place) for age in ages]
        rows.append((moment(window.start), f"{window.served:,.0f}", cells))
    return Triangle(title=title, ages=ages, rows=rows, cohorts=len(frame.windows))


def _cell(metric: Series | None, coverage: Series, place: int) -> Cell | None:
    if coverage.status[place] == ABSENT:
        return None
    share = measured(float(coverage.value[place]), coverage.spec.unit) if np.isfinite(coverage.value[place]) else "–"
    if metric is None or metric.status[place] == ABSENT or np.isnan(metric.value[place]):
        return Cell(value="", interval="", coverage=share, status=None)
    unit = metric.spec.unit
    bounds = [float(bound[place]) for bound in (metric.lower, metric.upper)]
    interval = " … ".join(measured(bound, unit) for bound in bounds) if np.isfinite(bounds).all() else ""
    status = STATUSES[metric.status[place]]
    return Cell(
        value=measured(float(metric.value[place]), unit),
        interval=interval,
        coverage=share,
        status=None if status is Status.OK else status,
    )
