"""The label join: what is remembered of predictions and labels, and which of them meet.

Joining is a function of two sets, the predictions and the labels of an id; so their order of arrival cannot matter.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

_TOUCHED: Final = "CREATE TEMP TABLE IF NOT EXISTS touched (id BLOB PRIMARY KEY) WITHOUT ROWID"
# CROSS JOIN fixes the order of look-ups: from the few ids that were touched. SQLite, which knows no sizes, would else
# begin with all that is remembered of the model.
_PAIRS: Final = """
    SELECT p.id, p.version, p.time, p.start, p.uncounted, p.score, p.decision, p.segments, p.probabilities,
           p.amount, l.time, l.content, l.source, l.version, l.amount
    FROM touched t
    CROSS JOIN label l ON l.model = ?1 AND l.id = t.id
    CROSS JOIN prediction p ON p.model = ?1 AND p.id = t.id AND (l.version = '' OR l.version = p.version)
    ORDER BY p.id, p.version, l.time, l.content, l.amount, l.version
"""

_MET: Final = (
    "SELECT 1 FROM prediction p WHERE p.model = label.model AND p.id = label.id "
    "AND (label.version = '' OR label.version = p.version)"
)


class Remembered(NamedTuple):
    """What is kept of a prediction until its horizon: nothing that names a row outside.

    uncounted: it belongs to no cohort (it was late, or its request failed), but its label is no orphan.
    probabilities: as `pack_vectors` says, None of most models.
    """

    id: bytes
    version: str
    time: int
    start: int
    uncounted: bool
    fingerprint: int
    score: float | None
    decision: str | None
    amount: float | None
    segments: str
    probabilities: bytes | None = None


class Label(NamedTuple):
    """A label as it is kept: the id's hash, its time, its canonical text, and what limits or weighs it."""

    id: bytes
    time: int
    content: str
    version: str
    amount: str
    source: str


@dataclass(frozen=True, slots=True)
class Pairs:
    """Predictions and the labels that met them, sorted by prediction, then by label time and content.

    prediction: for each pair the index of its prediction among those that met any label. stakes: the prediction's
    amount; amounts: the label's, else the prediction's; NaN where there is none.
    """

    prediction: npt.NDArray[np.intp]
    versions: tuple[str, ...]
    starts: npt.NDArray[np.int64]
    uncounted: npt.NDArray[np.bool_]
    ages: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float64]
    decisions: tuple[str | None, ...]
    segments: tuple[str, ...]
    probabilities: tuple[bytes | None, ...]
    contents: tuple[str, ...]
    stakes: npt.NDArray[np.float64]
    amounts: npt.NDArray[np.float64]
    labels: tuple[tuple[str, Label], ...]

    def newest_by_source(self, horizon: int) -> dict[str, int]:
        """Return the time of each source's newest label within the horizon of a prediction."""
        newest: dict[str, int] = {}
        for (source, label), age in zip(self.labels, self.ages.tolist(), strict=True):
            if age <= horizon:
                newest[source] = max(label.time, newest.get(source, label.time))
        return newest

    def labels_by_source(self, horizon: int) -> dict[str, tuple[int, int]]:
        """Count each source's distinct labels: within the horizon of a prediction, and beyond that of all they met."""
        within = {label for label, age in zip(self.labels, self.ages.tolist(), strict=True) if age <= horizon}
        beyond = set(self.labels) - within
        sources = {source for source, _ in self.labels}
        return {
            source: (sum(label[0] == source for label in within), sum(label[0] == source for label in beyond))
            for source in sources
        }


class LabelIndex:
    """The two sets, in the state database. Every call belongs into the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute(_TOUCHED)

    def touch(self, ids: Iterable[bytes]) -> None:
        """Say which ids the next calls of `pairs` are about."""
        self._connection.execute("DELETE FROM touched")
        self._connection.executemany("INSERT OR IGNORE INTO touched VALUES (?)", ((one,) for one in ids))

    def pairs(self, model: str) -> Pairs:
        """Return the touched ids' predictions with the labels that they have now."""
        rows = self._connection.execute(_PAIRS, (model,)).fetchall()
        columns: Sequence[tuple[object, ...]] = list(zip(*rows, strict=True)) if rows else [()] * 15
        return _pairs_of(columns)

    def fingerprints(self, model: str) -> dict[tuple[bytes, str], int]:
        """Return the touched ids' remembered predictions: (id, version) to the fingerprint of their content."""
        rows = self._connection.execute(
            "SELECT p.id, p.version, p.fingerprint FROM touched t "
            "CROSS JOIN prediction p ON p.model = ? AND p.id = t.id",
            (model,),
        )
        return {(one, version): fingerprint for one, version, fingerprint in rows}

    def remember(self, model: str, predictions: Iterable[Remembered]) -> None:
        """Add predictions; one whose id and version are known already stays as it was."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO prediction VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((model, *prediction) for prediction in predictions),
        )

    def add_labels(self, model: str, labels: Sequence[Label]) -> dict[str, int]:
        """Add labels; return for each source how many were exact duplicates of known ones."""
        duplicates: dict[str, int] = {}
        for label in labels:
            added = self._connection.execute(
                "INSERT OR IGNORE INTO label VALUES (?, ?, ?, ?, ?, ?, ?)", (model, *label)
            ).rowcount
            if not added:
                duplicates[label.source] = duplicates.get(label.source, 0) + 1
        return duplicates

    def forget(self, model: str, before: int) -> None:
        """Forget the predictions of windows that start before a time, and the labels that are of no use without them.

        A label goes with the last prediction that it met (another version may have served its id in a later window),
        and one that met none when its own time is before that time.
        """
        # The plus keeps SQLite from looking for each label's prediction among all of a window instead of by its id.
        self._connection.execute(
            "DELETE FROM label WHERE model = ?1 "
            "AND id IN (SELECT id FROM prediction WHERE model = ?1 AND start < ?2) "
            # The plus keeps SQLite from the index by window, which would make each label look through whole windows.
            f"AND EXISTS ({_MET} AND +p.start < ?2) AND NOT EXISTS ({_MET} AND +p.start >= ?2)",
            (model, before),
        )
        self._connection.execute("DELETE FROM prediction WHERE model = ? AND start < ?", (model, before))
        self._connection.execute(
            f"DELETE FROM label WHERE model = ?1 AND time < ?2 AND NOT EXISTS ({_MET})", (model, before)
        )


def _pairs_of(columns: Sequence[tuple[object, ...]]) -> Pairs:
    (
        ids,
        versions,
        times,
        starts,
        uncounted,
        scores,
        decisions,
        segments,
        probabilities,
        stakes,
        moments,
        contents,
        sources,
        limits,
        amounts,
    ) = columns
    count = len(ids)
    new = np.ones(count, dtype=bool)
    new[1:] = [
        one != before or version != other
        for one, before, version, other in zip(ids[1:], ids, versions[1:], versions, strict=False)
    ]
    moment = np.array(moments, dtype=np.int64)
    staked = np.array([np.nan if one is None else one for one in stakes], dtype=np.float64)
    said = np.array([_amount(text) for text in amounts], dtype=np.float64)
    return Pairs(
        prediction=np.cumsum(new) - 1,
        versions=versions,  # type: ignore[arg-type]
        starts=np.array(starts, dtype=np.int64),
        uncounted=np.array(uncounted, dtype=bool),
        ages=moment - np.array(times, dtype=np.int64),
        scores=np.array([np.nan if score is None else score for score in scores], dtype=np.float64),
        decisions=decisions,  # type: ignore[arg-type]
        segments=segments,  # type: ignore[arg-type]
        probabilities=probabilities,  # type: ignore[arg-type]
        contents=contents,  # type: ignore[arg-type]
        stakes=staked,
        amounts=np.where(np.isnan(said), staked, said),
        labels=tuple(
            (str(source), Label(one, time, content, limit, amount, str(source)))
            for one, time, content, limit, amount, source in zip(
                ids, moments, contents, limits, amounts, sources, strict=True
            )
        ),
    )


def _amount(text: object) -> float:
    """Return a label's amount as a number; NaN where it says none."""
    try:
        return float(str(text))
    except ValueError:
        return float("nan")
