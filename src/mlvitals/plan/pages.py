"""Who may page how often: the allocation of the page budget, and what pages outside of it."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Final

import msgspec

from mlvitals.config import DecisionsConfig
from mlvitals.decisions.allocation import ModelDemand, ModelShares, allocate

_WEEKS_OF_YEAR: Final = 1461 / 28  # of 365¼ days


class DetectorPages(msgspec.Struct, frozen=True, kw_only=True):
    """All detectors of one kind of a model.

    each, together: pages a week. bar: log10 of what the evidence of one has to reach, None where it never pages.
    least_windows: in how many it can. false_pages_per_year: of all together at most, in the mean, where nothing moved.
    """

    detector: str
    count: int
    each: float
    together: float
    bar: float | None
    least_windows: int | None
    false_pages_per_year: float


class ModelPages(msgspec.Struct, frozen=True, kw_only=True):
    """One model's share: its detectors and reserve add up to it. window: the size of its windows.

    learns: its features are not known yet, and will take their share of it.
    """

    model: str
    window: str
    learns: bool
    pages_per_week: float
    reserve: float
    detectors: tuple[DetectorPages, ...]


class PagesPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The whole budget. shared: what the models have of it, all but where no model has a weight.

    outside: the plain thresholds that page without a share, by signal and attributes.
    """

    pages_per_week: float
    shared: float
    models: tuple[ModelPages, ...]
    outside: tuple[Mapping[str, str], ...]


def plan_pages(
    decisions: DecisionsConfig, demands: Sequence[ModelDemand], windows: Mapping[str, str], learning: frozenset[str]
) -> PagesPlan:
    """Return the allocation of models by their demands; windows: each one's size; learning: those without features."""
    shares = allocate(decisions.pages_per_week, decisions.weights.by_name, demands)
    return PagesPlan(
        pages_per_week=decisions.pages_per_week,
        # Exact until it is rounded once.
        shared=float(sum(one.pages_per_week for one in shares.values())),
        models=tuple(
            ModelPages(
                model=name,
                window=windows[name],
                learns=name in learning,
                pages_per_week=float(one.pages_per_week),
                reserve=float(one.reserve),
                detectors=tuple(_detectors(one)),
            )
            for name, one in shares.items()
        ),
        outside=tuple({"signal": one.signal, **one.attributes} for one in decisions.page_on),
    )


def _detectors(shares: ModelShares) -> Iterator[DetectorPages]:
    for detector, one in shares.allotments.items():
        yield DetectorPages(
            detector=detector.value,
            count=one.count,
            each=float(one.each.pages_per_week),
            together=float(one.pages_per_week),
            bar=one.each.bar if isfinite(one.each.bar) else None,
            least_windows=one.each.least_windows,
            false_pages_per_year=shares.false_pages_per_week(detector) * _WEEKS_OF_YEAR,
        )
