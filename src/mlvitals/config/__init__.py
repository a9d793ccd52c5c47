"""The root document `mlvitals.yaml`: read, checked and resolved, or refused with the path of the key that is wrong."""

from mlvitals.config.load import load
from mlvitals.config.model import (
    BudgetConfig,
    Config,
    FeaturesConfig,
    LabelsConfig,
    ModelConfig,
    OperatingConfig,
    PerformanceConfig,
    ServiceConfig,
    StateConfig,
    VersionConfig,
    WindowsConfig,
)
from mlvitals.config.scalar import Duration, SizeText

__all__ = [
    "BudgetConfig",
    "Config",
    "Duration",
    "FeaturesConfig",
    "LabelsConfig",
    "ModelConfig",
    "OperatingConfig",
    "PerformanceConfig",
    "ServiceConfig",
    "SizeText",
    "StateConfig",
    "VersionConfig",
    "WindowsConfig",
    "load",
]
