"""What a person chose of a layout: which features, as what, and which class is positive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from mlvitals import wire
from mlvitals.events import canonical_text
from mlvitals.windows.layout import Kind, Task

_REGRESSION_METRICS = frozenset({"r2", "mae", "rmse", "mape", "bias"})
_CUTOFF: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The choices that a layout is frozen with.

    include, exclude: names or patterns of features. kinds: a feature's kind where it is not left to its values.
    aliases: a feature's name in the events to the name it is known by. sensitive: features whose values may not be
    shown. segments: columns, without prefix.
    metrics: the performance metrics asked for; they tell a regression, and a ranking with its cutoffs. positive,
    threshold: of a binary task.
    amount: the column that says what a prediction has at stake, as in `Layout`. propensity: labels of a binary task are
    weighed by the prediction's propensity.
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
    amount: str | None = None
    propensity: bool = False

    def monitors(self, feature: str) -> bool:
        """Tell whether a feature is to be monitored."""
        included = any(fnmatchcase(feature, pattern) for pattern in self.include)
        return included and not any(fnmatchcase(feature, pattern) for pattern in self.exclude)

    @property
    def named(self) -> list[str]:
        """The features that are named outright, by their kind or without a pattern."""
        return [name for name in dict.fromkeys((*self.include, *self.kinds)) if not set(name) & set("*?[")]

    def rename(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the batch with its features under the names they are known by.

        Where several columns have one name then, as in the days in which a feature is renamed, each row's value is the
        first that is there, in the alphabetical order of the names in the events, so that no cut of batches matters.
        """
        if not self.aliases:
            return batch
        known = {wire.FEATURE_PREFIX + old: wire.FEATURE_PREFIX + new for old, new in self.aliases.items()}
        names = [known.get(name, name) for name in batch.schema.names]
        if len(set(names)) == len(names):
            return batch.rename_columns(names)
        columns: dict[str, list[pa.Array]] = {name: [] for name in names}
        for name in sorted(batch.schema.names):
            columns[known.get(name, name)].append(batch.column(name))
        return pa.record_batch({name: _first_present(arrays) for name, arrays in columns.items()})

    @property
    def task(self) -> Task | None:
        """The kind of prediction as far as the choice tells it."""
        if self._ranked:
            return Task.RANKING
        return Task.REGRESSION if self.metrics & _REGRESSION_METRICS else None

    @property
    def cutoffs(self) -> tuple[int, ...]:
        """The places at which metrics of a ranking are cut, ascending: those that are asked for, or the tenth."""
        return tuple(sorted(self._ranked)) or (_CUTOFF,)

    @property
    def _ranked(self) -> frozenset[int]:
        return frozenset(int(place) for _, is_cut, place in (one.partition("@") for one in self.metrics) if is_cut)


def _first_present(arrays: Sequence[pa.Array]) -> pa.Array:
    """Return in each row the first value that is not null."""
    some = [array for array in arrays if array.null_count < len(array)] or arrays[:1]
    if len(some) == 1:
        return some[0]
    plain = [array.dictionary_decode() if pa.types.is_dictionary(array.type) else array for array in some]
    kinds = {array.type for array in plain}
    if len(kinds) > 1 and all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in kinds):
        plain = [pc.cast(array, pa.float64(), safe=False) for array in plain]
    elif len(kinds) > 1:
        plain = [canonical_text(array).cast(pa.string()) for array in plain]
    return pc.coalesce(*plain)
