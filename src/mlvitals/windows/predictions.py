"""Predictions as they are remembered, in columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlvitals.windows.coded import Coded
from mlvitals.windows.pairs import Flags, Floats, Times
from mlvitals.windows.remembered_rows import Words


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What is kept of predictions until their horizon, a row each: nothing that names a row outside.

    ids: hashes of two words, shape (rows, 2). uncounted: it belongs to no cohort (it was late, or its request failed),
    but its label is no orphan. scores, amounts: NaN where there is none. segments: JSON arrays. vectors: as
    `pack_vectors` says, None of most models. propensities: as `propensities_of` says, 0 where there is none.
    """

    ids: Words
    versions: Coded
    times: Times
    starts: Times
    uncounted: Flags
    fingerprints: Times
    scores: Floats
    decisions: Coded
    amounts: Floats
    segments: Coded
    vectors: Sequence[bytes | None]
    propensities: Floats

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.ids)

    @classmethod
    def joined(cls, parts: Sequence["Predictions"]) -> "Predictions":
        """Return the rows of one or more parts."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            ids=np.concatenate([part.ids for part in parts]),
            versions=Coded.joined([part.versions for part in parts]),
            times=np.concatenate([part.times for part in parts]),
            starts=np.concatenate([part.starts for part in parts]),
            uncounted=np.concatenate([part.uncounted for part in parts]),
            fingerprints=np.concatenate([part.fingerprints for part in parts]),
            scores=np.concatenate([part.scores for part in parts]),
            decisions=Coded.joined([part.decisions for part in parts]),
            amounts=np.concatenate([part.amounts for part in parts]),
            segments=Coded.joined([part.segments for part in parts]),
            vectors=[one for part in parts for one in part.vectors],
            propensities=np.concatenate([part.propensities for part in parts]),
        )
