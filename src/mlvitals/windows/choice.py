"""What a person chose of a layout: which features, as what, and which class is positive."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import pyarrow as pa

from mlvitals import wire
from mlvitals.windows.layout import Kind, Task

_REGRESSION_METRICS = frozenset({"r2", "mae", "rmse", "mape", "bias"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The choices that a layout is frozen with.

    include, exclude: names or patterns of features. kinds: a feature's kind where it is not left to its values.
    aliases: a feature's name in the events to the name it is known by. sensitive: features whose values may not be
    shown. segments: columns, without prefix.
    metrics: the performance metrics asked for; they tell a regression. positive, threshold: of a binary task.
    """

    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    sensitive: frozenset[str] = frozenset()
    segments: tuple[str, ...] = ()
    metrics: frozenset[str] = frozenset()
    positive: str | None = None
    threshold: float | None = None

    def monitors(self, feature: str) -> bool:
        """Tell whether a feature is to be monitored."""
        included = any(fnmatchcase(feature, pattern) for pattern in self.include)
        return included and not any(fnmatchcase(feature, pattern) for pattern in self.exclude)

    @property
    def named(self) -> list[str]:
        """The features that are named outright, by their kind or without a pattern."""
        return [name for name in dict.fromkeys((*self.include, *self.kinds)) if not set(name) & set("*?[")]

    def rename(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the batch with its features under the names they are known by."""
        if not self.aliases:
            return batch
        known = {wire.FEATURE_PREFIX + old: wire.FEATURE_PREFIX + new for old, new in self.aliases.items()}
        return batch.rename_columns([known.get(name, name) for name in batch.schema.names])

    @property
    def task(self) -> Task | None:
        """The kind of prediction as far as the choice tells it."""
        return Task.REGRESSION if self.metrics & _REGRESSION_METRICS else None
