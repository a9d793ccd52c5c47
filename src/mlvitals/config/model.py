"""The configuration's shape: what a key may hold, and what it is when it is left out."""

from collections.abc import Mapping
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from mlvitals.config.cost import CostConfig
from mlvitals.config.decisions import DecisionsConfig, Weight
from mlvitals.config.links import LinksConfig
from mlvitals.config.observing import HealthConfig, InstrumentationConfig, TelemetryConfig
from mlvitals.config.scalar import Duration, SizeText
from mlvitals.sinks import SinkConfig
from mlvitals.sources import SourceConfig
from mlvitals.windows.delays import ages_before

FeatureKind = Literal["numeric", "categorical", "boolean", "text", "identifier", "calendar"]
PerformanceMetric = Literal[
    "accuracy",
    "precision",
    "recall",
    "f1",
    "specificity",
    "balanced_accuracy",
    "mcc",
    "roc_auc",
    "pr_auc",
    "log_loss",
    "brier",
    "calibration_error",
    "r2",
    "mae",
    "rmse",
    "mape",
    "bias",
    "ndcg@1",
    "ndcg@3",
    "ndcg@5",
    "ndcg@10",
    "ndcg@20",
    "ndcg@50",
    "ndcg@100",
    "map@1",
    "map@3",
    "map@5",
    "map@10",
    "map@20",
    "map@50",
    "map@100",
]
ExportLevel = Literal["lean", "standard", "full"]
Text = Annotated[str, msgspec.Meta(min_length=1)]
Positive = Annotated[int, msgspec.Meta(ge=1)]


class ServiceConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who reports: stands on every point and log."""

    name: Text = "mlvitals"
    environment: Text = "default"
    tags: Mapping[str, str] = {}


class VersionConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One version of a model: `training` is the reference file of what it learned on."""

    training: Path


class OperatingConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What normal production looks like: a reference file, or the first stretch that is served."""

    path: Path | None = None
    first: Duration | None = None

    def __post_init__(self) -> None:
        if (self.path is None) == (self.first is None):
            raise ValueError("give either `path` or `first`")
        if self.first is not None and self.first.microseconds == 0:
            raise ValueError("`first` must be longer than nothing")


class WindowsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How event time is cut.

    lateness: how long after a window's end its events may still come. idle: how long a source may be silent before it
    no longer holds the watermark.
    """

    size: SizeText = SizeText("1h")
    lateness: Duration = Duration("10m")
    idle: Duration = Duration("5m")


class LabelsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How labels are joined.

    maturities: ages at which a cohort is judged, ascending. delay: the age by which most labels are expected; the first
    maturity where it is left out. horizon: how long labels are listened for; the last maturity where it is left out.
    only: "positive" where labels come of the positive class alone, so that who has none by the last maturity is
    negative. propensity: predictions log the chance of what was done with them, by which their labels are weighed.
    """

    maturities: Annotated[tuple[Duration, ...], msgspec.Meta(min_length=1)]
    delay: Duration
    horizon: Duration
    only: Literal["positive"] | None = None
    propensity: bool = False

    @property
    def silence(self) -> int | None:
        """The age, in microseconds, at which a prediction without a label is negative; None where it never is."""
        return None if self.only is None else self.maturities[-1].microseconds

    @property
    def checkpoints(self) -> tuple[Duration, ...]:
        """The ages before the first maturity at which coverage is looked at."""
        return tuple(map(Duration, ages_before(self.maturities[0].microseconds)))

    def __post_init__(self) -> None:
        ages = [maturity.microseconds for maturity in self.maturities]
        if ages[0] == 0:
            raise ValueError(f"maturity `{self.maturities[0]}` must be longer than nothing")
        for index in range(1, len(ages)):
            before, after = self.maturities[index - 1], self.maturities[index]
            if ages[index] == ages[index - 1]:
                raise ValueError(f"maturities `{before}` and `{after}` are the same age")
            if ages[index] < ages[index - 1]:
                raise ValueError(f"maturities must ascend: `{after}` stands after `{before}`")
        if self.horizon.microseconds < ages[-1]:
            raise ValueError(f"horizon `{self.horizon}` ends before the largest maturity, `{self.maturities[-1]}`")


class FeaturesConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which features are monitored, and as what.

    include, exclude: names or patterns with `*`. aliases: a name in the events to the name it is known by. sensitive:
    features whose values never leave. important: names or patterns of those whose series stay longest where the budget
    does not hold all, the most important first.
    """

    include: tuple[Text, ...] = ("*",)
    exclude: tuple[Text, ...] = ()
    kinds: Mapping[str, FeatureKind] = {}
    aliases: Mapping[str, Text] = {}
    sensitive: tuple[Text, ...] = ()
    important: tuple[Text, ...] = ()


class PerformanceConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How predictions are judged by their labels; None or empty goes by the kind of prediction.

    positive: the positive class of a binary model. threshold: the score from which it is predicted, where no predicted
    class is logged.
    """

    metrics: tuple[PerformanceMetric, ...] = ()
    positive: Text | None = None
    threshold: float | None = None


class GroupConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Features that come from one place: whom it concerns where they move, and what they are made from.

    features: names or patterns with `*`.
    """

    features: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1)]
    owner: Text | None = None
    upstream: Text | None = None

    def holds(self, feature: str) -> bool:
        """Tell whether a feature belongs to the group."""
        return any(fnmatchcase(feature, pattern) for pattern in self.features)


class ModelConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One model. `labels` None joins no labels. A feature of two `groups` belongs to the first.

    weight: its share of the pages among the models; without any it never pages.
    """

    name: Text
    weight: Weight = 1.0
    owner: Text | None = None
    tags: Mapping[str, str] = {}
    versions: Mapping[str, VersionConfig] = {}
    operating: OperatingConfig | None = None
    windows: WindowsConfig = WindowsConfig()
    labels: LabelsConfig | None = None
    features: FeaturesConfig = FeaturesConfig()
    groups: Mapping[str, GroupConfig] = {}
    segments: tuple[Text, ...] = ()
    performance: PerformanceConfig = PerformanceConfig()
    cost: CostConfig | None = None
    links: LinksConfig = LinksConfig()
    deduplicate: bool

    def __post_init__(self) -> None:
        if self.operating is None and not self.versions:
            raise ValueError("a model needs something to compare with: give `operating`, or `versions` with `training`")
        if self.labels is not None and self.labels.only is not None and self.performance.positive is None:
            raise ValueError("`labels.only: positive` needs `performance.positive`, the class that labels come of")
        told = sorted(set(self.segments) & set(self.features.sensitive))
        if told:
            raise ValueError(f"`{told[0]}` is sensitive: as a segment its values would leave")
        self._refuse_shared_features()

    def _refuse_shared_features(self) -> None:
        seen: dict[str, str] = {}
        for name, group in self.groups.items():
            for feature in group.features:
                if seen.setdefault(feature, name) != name:
                    raise ValueError(f"`{feature}` is in two groups, `{seen[feature]}` and `{name}`")


class KeyConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file with the key of the ids' keyed hash; it is made where there is none."""

    path: Path


class StateConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the embedded database stands. `key` is a file beside it where it is left out.

    url: in place of `path`, where a snapshot is kept that each run begins with and leaves behind, `s3://BUCKET/KEY` or
    `file:///PATH`; `none` keeps nothing. endpoint: of what speaks like S3.
    """

    path: Path
    key: KeyConfig
    url: Text | None = None
    endpoint: Text | None = None

    def __post_init__(self) -> None:
        if self.endpoint is not None and (self.url is None or not self.url.startswith("s3://")):
            raise ValueError("`endpoint` is for a `url` that begins with s3://")

    @property
    def on_disk(self) -> bool:
        """Whether the database stays where it is, from run to run."""
        return self.url is None

    @property
    def owns_key(self) -> bool:
        """Whether the key is the file beside the state, and so goes with it."""
        return self.key.path == self.path.with_name(f"{self.path.name}.key")


class BudgetConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much is exported as points; logs and documents always carry everything.

    series: the most that all models together may have, None for as many as the plan tells. versions: of a model, how
    many may send points at a time. tags: those of the service and of models that stand on points, None for all.
    """

    export: ExportLevel = "lean"
    series: Positive | None = None
    versions: Positive = 2
    tags: tuple[Text, ...] | None = None


class SinkPricesConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a destination asks for; what is left out is told without money.

    series: for one, kept for a month. million_events: for a million log events or documents. gigabyte: for 10⁹ bytes
    of them, taken in. gigabyte_month: for 10⁹ bytes of them, stored for a month. keep: how long they are stored.
    """

    series: Decimal | None = None
    million_events: Decimal | None = None
    gigabyte: Decimal | None = None
    gigabyte_month: Decimal | None = None
    keep: Duration | None = None

    def __post_init__(self) -> None:
        for name in ("series", "million_events", "gigabyte", "gigabyte_month"):
            price = getattr(self, name)
            if price is not None and not (price.is_finite() and price >= 0):
                raise ValueError(f"`{name}` is not a price: {price}")
        if (self.gigabyte_month is None) != (self.keep is None):
            raise ValueError("`gigabyte_month` and `keep` need each other")


class PricesConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What destinations ask for, by their names: what `mlvitals plan` tells of money. None is known beforehand."""

    currency: Text
    sinks: Mapping[str, SinkPricesConfig]


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole document, its defaults already under each model. `plugins` are import paths, `module:name`."""

    plugins: tuple[Text, ...] = ()
    service: ServiceConfig = ServiceConfig()
    models: tuple[ModelConfig, ...]
    sources: tuple[SourceConfig, ...]
    sinks: tuple[SinkConfig, ...]
    state: StateConfig
    budget: BudgetConfig = BudgetConfig()
    decisions: DecisionsConfig = DecisionsConfig()
    telemetry: TelemetryConfig = TelemetryConfig()
    health: HealthConfig | None = None
    instrumentation: InstrumentationConfig | None = None
    prices: PricesConfig | None = None
