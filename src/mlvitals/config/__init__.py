"""The root document `mlvitals.yaml`: read, checked and resolved, or refused with the path of the key that is wrong."""

from mlvitals.config.decisions import DecisionsConfig, PageOnConfig, WeightsConfig, demand_of
from mlvitals.config.entries import Config, ModelFault, PatternConfig
from mlvitals.config.load import load
from mlvitals.config.model import (
    BudgetConfig,
    FeaturesConfig,
    GroupConfig,
    LabelsConfig,
    ModelConfig,
    OperatingConfig,
    PerformanceConfig,
    PricesConfig,
    ServiceConfig,
    SinkPricesConfig,
    StateConfig,
    VersionConfig,
    WindowsConfig,
)
from mlvitals.config.prices import load_prices
from mlvitals.config.scalar import Duration, SizeText

__all__ = [
    "BudgetConfig",
    "Config",
    "DecisionsConfig",
    "Duration",
    "FeaturesConfig",
    "GroupConfig",
    "LabelsConfig",
    "ModelConfig",
    "ModelFault",
    "OperatingConfig",
    "PageOnConfig",
    "PatternConfig",
    "PerformanceConfig",
    "PricesConfig",
    "ServiceConfig",
    "SinkPricesConfig",
    "SizeText",
    "StateConfig",
    "VersionConfig",
    "WeightsConfig",
    "WindowsConfig",
    "demand_of",
    "load",
    "load_prices",
]
