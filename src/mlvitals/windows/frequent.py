"""Counting the values of a column in bounded memory, exactly while they are few."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

VALUES_KEPT: Final = 250_000
BYTES_KEPT: Final = 32 << 20

Counts = npt.NDArray[np.int64]


class FrequentValues:
    """Counts values; past a number of distinct ones, or of their bytes, it forgets the rarest.

    While nothing was forgotten (`complete`) every count is exact. Afterwards a count is too low by `error` at most, and
    what is not held was counted at most `error` times, which never exceeds rows ÷ (values kept + 1). Misra and Gries
    (1982), "Finding repeated elements", in the form that adds up: Agarwal et al. (2012), "Mergeable summaries".
    """

    def __init__(self) -> None:
        self._values = pa.array([], pa.string())
        self._counts: Counts = np.zeros(0, dtype=np.int64)
        self._fresh: list[tuple[pa.Array, Counts]] = []
        self._waiting = 0
        self.error = 0

    @property
    def complete(self) -> bool:
        """Whether every value is held."""
        self._settle()
        return self.error == 0

    def add(self, texts: pa.Array) -> None:
        """Count texts, nulls aside."""
        counted = pc.value_counts(texts)
        values = counted.field(0)
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        known = values.is_valid()
        values = values.filter(known)
        self._fresh.append((values, np.asarray(counted.field(1).filter(known))))
        self._waiting += len(values) + values.nbytes // (BYTES_KEPT // VALUES_KEPT)
        if self._waiting > VALUES_KEPT:
            self._settle()

    def counts(self) -> dict[str, int]:
        """Return the count of each value that is held."""
        self._settle()
        return dict(zip(self._values.to_pylist(), self._counts.tolist(), strict=True))

    def _settle(self) -> None:
        """Add what is waiting, and forget what is too much."""
        if not self._fresh:
            return
        parts = [(self._values, self._counts), *self._fresh]
        table = pa.table(
            {
                "value": pa.chunked_array([values.cast(pa.string()) for values, _ in parts], pa.string()),
                "count": pa.chunked_array([pa.array(counts, pa.int64()) for _, counts in parts], pa.int64()),
            }
        )
        added = table.group_by("value").aggregate([("count", "sum")]).combine_chunks()
        self._fresh, self._waiting = [], 0
        self._values = added["value"].combine_chunks() if added.num_rows else pa.array([], pa.string())
        self._counts = np.asarray(added["count_sum"], dtype=np.int64)
        room = min(VALUES_KEPT, VALUES_KEPT * BYTES_KEPT // max(1, self._values.nbytes))
        if len(self._counts) > room:
            self._forget(int(np.partition(self._counts, -room - 1)[-room - 1]))

    def _forget(self, count: int) -> None:
        """Take a count off every value, and let go of those that have none left."""
        left = self._counts - count
        held = left > 0
        self._values, self._counts = self._values.filter(pa.array(held)), left[held]
        self.error += count
