"""The page budget's part of the configuration: how often we may be wrong, what counts as moved, who has which share."""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from mlvitals.config.scalar import Duration
from mlvitals.decisions.allocation import DEFAULT_WEIGHTS, RESERVE, ModelDemand
from mlvitals.decisions.finding import Detector
from mlvitals.errors import ConfigError

if TYPE_CHECKING:
    from mlvitals.config.entries import Config
    from mlvitals.config.model import ModelConfig
    from mlvitals.signals.spec import MetricSpec

# The greatest keep infinity out; nothing that is meant comes near them.
Weight = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]
_Rate = Annotated[float, msgspec.Meta(gt=0, le=10_000)]
_Deviations = Annotated[float, msgspec.Meta(ge=0, le=100)]
_Value = Annotated[str, msgspec.Meta(min_length=1)]

_MODEL: Final = "model"
_OF_EVERY_SIGNAL: Final = (_MODEL, "segment")


class WeightsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a model's pages are shared out among its detectors, and how much is held in reserve."""

    volume: Weight = DEFAULT_WEIGHTS[Detector.VOLUME]
    errors: Weight = DEFAULT_WEIGHTS[Detector.ERRORS]
    feature: Weight = DEFAULT_WEIGHTS[Detector.FEATURE]
    features: Weight = DEFAULT_WEIGHTS[Detector.FEATURES]
    prediction: Weight = DEFAULT_WEIGHTS[Detector.PREDICTION]
    segment: Weight = DEFAULT_WEIGHTS[Detector.SEGMENT]
    coverage: Weight = DEFAULT_WEIGHTS[Detector.COVERAGE]
    performance: Weight = DEFAULT_WEIGHTS[Detector.PERFORMANCE]
    cost: Weight = DEFAULT_WEIGHTS[Detector.COST]
    reserve: Weight = DEFAULT_WEIGHTS[RESERVE]

    def __post_init__(self) -> None:
        if not any(getattr(self, detector.value) for detector in Detector):
            raise ValueError("one of the weights, beside that of the reserve, must be greater than 0")

    @property
    def by_name(self) -> Mapping[str, float]:
        """The weights, as the allocation takes them."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


class PageOnConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"class_": "class"}):
    """A signal whose plain threshold pages, outside of the budget; what is left out may be anything.

    Each value is a name, or a pattern with `*`.
    """

    signal: str
    model: _Value | None = None
    feature: _Value | None = None
    method: _Value | None = None
    comparison: _Value | None = None
    segment: _Value | None = None
    class_: _Value | None = None
    quantile: _Value | None = None
    maturity: _Value | None = None
    metric: _Value | None = None

    @property
    def attributes(self) -> Mapping[str, str]:
        """What was written beside the signal, `model` among it."""
        found = {key: getattr(self, key) for key in self.__struct_fields__ if key != "signal"}
        return {key.rstrip("_"): value for key, value in found.items() if value is not None}

    def names(self, model: str, signal: str, attributes: Mapping[str, str]) -> bool:
        """Tell whether a measurement of this model, signal and attributes is meant; all predictions are no segment."""
        if signal != self.signal:
            return False
        of = {_MODEL: model, **attributes}
        return all(key in of and _fits(of[key], wanted) for key, wanted in self.attributes.items())


class DecisionsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One page budget for all models, and what counts as moved.

    pages_per_week: how often, in the mean, all models together may page where nothing moved. min_effect: the least
    step, in standard deviations of the reference, that pages; 0 for any that is proven. tolerance: the step that is no
    news, likewise. quiet_after_change: alarms whose onset lies so soon after a `change` event are told and do not page.
    """

    pages_per_week: _Rate = 0.5
    min_effect: _Deviations = 0.1
    tolerance: _Deviations = 0.02
    weights: WeightsConfig = WeightsConfig()
    quiet_after_change: Duration = Duration("0s")
    page_on: tuple[PageOnConfig, ...] = ()

    def pages(self, model: str, signal: str, attributes: Mapping[str, str]) -> bool:
        """Tell whether a warning of this measurement's plain threshold is to page, outside of the budget."""
        return any(one.names(model, signal, attributes) for one in self.page_on)


def demand_of(model: "ModelConfig", features: Iterable[str], segments: Iterable[str], versions: int) -> ModelDemand:
    """Return what a model's detectors ask of the budget; versions: how many serve at a time."""
    return ModelDemand(
        name=model.name,
        weight=model.weight,
        windows_per_week=float(model.windows.size.window.per_week),
        features=tuple(features),
        versions=versions,
        maturities=() if model.labels is None else tuple(map(str, model.labels.maturities)),
        checkpoints=() if model.labels is None else tuple(map(str, model.labels.checkpoints)),
        priced=model.cost is not None,
        segments=tuple(segments),
    )


def refuse_unknown_pages(config: "Config") -> None:
    """Refuse a `page_on` that no measurement can fit.

    Raises:
        ConfigError: with the path of the key.

    """
    if not config.decisions.page_on:
        return
    specs = config.signals.specs
    for index, one in enumerate(config.decisions.page_on):
        path = f"$.decisions.page_on[{index}]"
        for problem, key in _problems(one, specs.get(one.signal), config):
            raise ConfigError(f"{problem} - at `{path}.{key}`")


def _problems(one: PageOnConfig, spec: "MetricSpec | None", config: "Config") -> Iterator[tuple[str, str]]:
    if spec is None:
        yield f"there is no signal `{one.signal}`", "signal"
        return
    if not spec.warns:
        can = ", ".join(sorted(name for name, other in config.signals.specs.items() if other.warns))
        yield f"`{one.signal}` has no threshold of its own: choose from {can}", "signal"
    for key, wanted in one.attributes.items():
        if key not in (*spec.attributes, *_OF_EVERY_SIGNAL):
            yield f"`{one.signal}` has no attribute `{key}`", key
        judged = spec.warning_where.get(key)
        if judged is not None and not _fits(judged, wanted):
            yield f"the threshold of `{one.signal}` is that of `{judged}` only", key
    named = [model.name for model in config.models]
    others_may_come = bool(config.patterns or config.faults)
    if one.model is not None and not others_may_come and not any(_fits(name, one.model) for name in named):
        yield f"there is no model `{one.model}`: choose from {', '.join(named)}", _MODEL


def _fits(value: str, wanted: str) -> bool:
    return value == wanted or fnmatchcase(value, wanted)
