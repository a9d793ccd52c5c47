"""How good a ranking was, by the grades of what turned out to be relevant: one value for each metric and prediction.

Only what IEEE 754 rounds correctly is used, place by place, so that a label that is corrected takes back the very bits
that it added, on whatever machine and among whatever other rows.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlvitals import wire
from mlvitals.events import column
from mlvitals.events.rankings import HASHES, Relevance, read_relevance
from mlvitals.windows.coded import Coded
from mlvitals.windows.layout import OutputLayout
from mlvitals.windows.losses import natural_log

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

_HEAD: Final = np.dtype("<u2")
_ITEM: Final = np.dtype("<u8")


class Judged(NamedTuple):
    """What labels say of rankings.

    measured: where there is a ranking, and a label with something relevant. nothing_relevant: where there is a ranking,
    and a label without. values: by metric, of the measured rows.
    """

    measured: Flags
    nothing_relevant: Flags
    values: Mapping[str, Floats]


class _Lists(NamedTuple):
    """Lists one behind the other: the row of each element, its place in the row's list, and how many each row has."""

    rows: Rows
    places: Rows
    sizes: Rows

    @classmethod
    def of(cls, sizes: Sequence[int]) -> "_Lists":
        many = np.array(sizes, dtype=np.intp)
        ends = np.cumsum(many)
        rows = np.repeat(np.arange(len(many)), many)
        return cls(rows, np.arange(len(rows)) - (ends - many)[rows], many)


def pack_rankings(batch: pa.RecordBatch, output: OutputLayout, rows: Rows) -> Sequence[bytes | None]:
    """Return what is remembered of rows' rankings, None where there is none.

    That is how many ids there are, and the hashes of the first ones, as many as the largest cutoff.
    """
    lists = column(batch, wire.PREDICTION_RANKING)
    if lists is None or lists.type != HASHES:
        return [None] * len(rows)
    mine = lists.take(pa.array(rows))
    sizes = np.asarray(pc.list_value_length(mine).fill_null(0)).astype(np.intp)
    data = np.asarray(mine.flatten()).astype(_ITEM).tobytes()
    ends = np.cumsum(sizes) * _ITEM.itemsize
    begins = ends - sizes * _ITEM.itemsize
    stops = np.minimum(ends, begins + output.cutoffs[-1] * _ITEM.itemsize)
    heads = sizes.astype(_HEAD)
    return [
        head.tobytes() + data[begin:stop] if there else None
        for head, begin, stop, there in zip(
            heads, begins.tolist(), stops.tolist(), np.asarray(mine.is_valid()).tolist(), strict=True
        )
    ]


def judge_rankings(packed: Sequence[bytes | None], contents: Coded, cutoffs: Sequence[int]) -> Judged:
    """Return the metrics of remembered rankings by what labels say, `ndcg@k` and `map@k` for each cutoff k.

    With the grade g(i) of the id at place i, 0 where the label has none or the id stands further up already:
    ndcg@k = Σ g(i) ÷ log₂(i + 1) ÷ that of the label's grades in falling order, both over i = 1 … k. Source: Järvelin
    and Kekäläinen (2002), "Cumulated gain-based evaluation of IR techniques", ACM Transactions on Information Systems
    20, with the discount from the first place on that is usual today.
    map@k is the mean of Σ P(i)·[g(i) > 0] ÷ min(k, relevant ids) over i = 1 … k, with the share P(i) of the first i ids
    that are relevant. Source: Manning, Raghavan and Schütze (2008), Introduction to Information Retrieval, chapter 8.4,
    cut at k. A ranking that was remembered for fewer places than it has within the largest cutoff is not judged.
    """
    known = [read_relevance(text) for text in contents.texts]
    said = [known[code] for code in contents.codes.tolist()]
    judged = np.array(
        [
            one is not None and label is not None and _is_whole(one, cutoffs[-1])
            for one, label in zip(packed, said, strict=True)
        ],
        dtype=bool,
    )
    relevant = np.array([0 if label is None else len(label.items) for label in said], dtype=np.intp)
    measured = judged & (relevant > 0)
    places = np.flatnonzero(measured).tolist()
    labels = [label for place in places if (label := said[place]) is not None]
    rankings = [
        np.frombuffer(one, dtype=_ITEM, offset=_HEAD.itemsize)[: cutoffs[-1]]
        for place in places
        if (one := packed[place]) is not None
    ]
    grades, ideal = _grades(rankings, labels, cutoffs[-1])
    return Judged(measured, judged & (relevant == 0), _values(grades, ideal, relevant[measured], cutoffs))


def _is_whole(packed: bytes, cutoff: int) -> bool:
    many = int(np.frombuffer(packed, dtype=_HEAD, count=1)[0])
    return (len(packed) - _HEAD.itemsize) // _ITEM.itemsize >= min(many, cutoff)


def _grades(
    rankings: Sequence[npt.NDArray[np.uint64]], labels: Sequence[Relevance], cutoff: int
) -> tuple[Floats, Floats]:
    """Return each row's grades by place, as ranked and at best, as parts of its greatest grade: (rows, cutoff) each."""
    ranked, ideal = np.zeros((len(labels), cutoff)), np.zeros((len(labels), cutoff))
    if not len(labels):
        return ranked, ideal
    of_label, of_ranking = _Lists.of([len(one.items) for one in labels]), _Lists.of([len(one) for one in rankings])
    grades = np.concatenate([one.grades for one in labels])
    grades = grades / np.maximum.reduceat(grades, np.cumsum(of_label.sizes) - of_label.sizes)[of_label.rows]
    both = np.concatenate([*(one.items for one in labels), *rankings])
    distinct, codes = np.unique(both, return_inverse=True)
    keys = np.concatenate([of_label.rows, of_ranking.rows]) * len(distinct) + codes.reshape(-1)
    relevant, shown = keys[: len(grades)], keys[len(grades) :]
    found = np.minimum(np.searchsorted(relevant, shown), len(relevant) - 1)
    first = np.zeros(len(shown), dtype=bool)
    first[np.unique(shown, return_index=True)[1]] = True
    hit = (relevant[found] == shown) & first
    ranked[of_ranking.rows[hit], of_ranking.places[hit]] = grades[found[hit]]
    best = np.lexsort((-grades, of_label.rows))
    near = of_label.places < cutoff  # sorted by row, so that the places of rows stay
    ideal[of_label.rows[near], of_label.places[near]] = grades[best][near]
    return ranked, ideal


def _values(grades: Floats, ideal: Floats, relevant: Rows, cutoffs: Sequence[int]) -> dict[str, Floats]:
    rows = len(grades)
    gained, possible, precise, hits = np.zeros(rows), np.zeros(rows), np.zeros(rows), np.zeros(rows)
    found: dict[str, Floats] = {}
    for place, discount in enumerate(_discounts(cutoffs[-1])):
        gained = gained + grades[:, place] * discount
        possible = possible + ideal[:, place] * discount
        hits = hits + (grades[:, place] > 0)
        precise = precise + np.where(grades[:, place] > 0, hits / (place + 1), 0.0)
        if place + 1 in cutoffs:
            found[f"ndcg@{place + 1}"] = gained / possible
            found[f"map@{place + 1}"] = precise / np.minimum(relevant, place + 1)
    return found


def _discounts(many: int) -> list[float]:
    """Return 1 ÷ log₂(i + 1) of the places i = 1 … many."""
    discounts: list[float] = (natural_log(np.array([2.0])) / natural_log(np.arange(2.0, many + 2))).tolist()
    return discounts
