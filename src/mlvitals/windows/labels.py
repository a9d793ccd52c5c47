"""The label join: what is remembered of predictions and labels, and which of them meet.

Joining is a function of two sets, the predictions and the labels of an id; so their order of arrival cannot matter.
"""

import sqlite3
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mlvitals.windows.coded import EMPTY, SPELLED, Coded, Lexicon
from mlvitals.windows.memory import Memory
from mlvitals.windows.older_rows import take_older_rows
from mlvitals.windows.pairs import Codes, Flags, Pairs, Times
from mlvitals.windows.predictions import Predictions
from mlvitals.windows.remembered_rows import LABEL, PREDICTION, Rows, Words, choose_rows, join_rows
from mlvitals.windows.runs import Found
from mlvitals.windows.waiting_labels import WaitingLabels

NEW: Final = 0
DUPLICATE: Final = 1
CONFLICT: Final = 2

_IDENTITY: Final = ("time", "content", "content_kind", "amount", "amount_kind", "version")


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Labels as they are kept, a row each: the id's hash, the time, canonical texts, and where they came from."""

    ids: Words
    times: Times
    contents: Coded
    versions: Coded
    amounts: Coded
    sources: Coded

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.ids)


class Look(NamedTuple):
    """What is remembered of some ids, which are in ascending order, each once.

    given: the place of each id as it was asked for. waiting: labels that have met no prediction.
    """

    given: Codes
    heads: Words
    tails: Words
    predictions: Found
    labels: Found
    waiting: Found

    def places(self, ids: Words) -> Codes:
        """Return the place of each id, all of which were looked for."""
        heads, tails = ids[:, 0], ids[:, 1]
        places = np.searchsorted(self.heads, heads)
        while (wrong := self.tails[places] != tails).any():  # two ids that agree in half of their hash
            places[wrong] += 1
        return places


class Change(NamedTuple):
    """What met before something arrived, and what meets now; how many labels of each source were known already."""

    before: Pairs
    after: Pairs
    duplicates: dict[str, int]


class LabelIndex:
    """The two sets of one model, in the state database. Every call belongs into the caller's transaction.

    silence: the age, in microseconds, at which a prediction that has met no label is told apart as silent, as if it had
        met one then that says nothing; None where it never is.
    """

    def __init__(self, connection: sqlite3.Connection, model: str, silence: int | None = None) -> None:
        self._silence = silence
        self._lexicon = Lexicon()
        self._memory = Memory(connection, model, self._lexicon)
        self._waiting = WaitingLabels(connection, model, self._lexicon)
        self._connection = connection
        self._model = model

    def look(self, ids: Words) -> Look:
        """Return what is remembered of these ids, which come in any order."""
        self._take_over()
        return self._look(ids)

    def _look(self, ids: Words) -> Look:
        order = np.argsort(ids[:, 0])
        if (np.diff(ids[order, 0]) == 0).any():
            order = np.lexsort((ids[:, 1], ids[:, 0]))
        heads, tails = ids[order, 0], ids[order, 1]
        new = np.ones(len(ids), dtype=bool)
        new[1:] = (heads[1:] != heads[:-1]) | (tails[1:] != tails[:-1])
        given = np.empty(len(order), dtype=np.intp)
        given[order] = np.cumsum(new) - 1
        heads, tails = heads[new], tails[new]
        self._memory.refresh()
        labels = _distinct(self._memory.labels.find(heads, tails))
        predictions, waiting = self._memory.predictions.find(heads, tails), self._waiting.find(heads, tails)
        return Look(given, heads, tails, predictions, labels, waiting)

    def repeats(self, look: Look, ids: Words, versions: Coded, fingerprints: Times) -> npt.NDArray[np.int8]:
        """Tell of each row whether its id and version are new, served before, or served before with other content."""
        known = look.predictions
        places = np.concatenate([known.places, look.places(ids)])
        if not _repeat(places):
            return np.full(len(ids), NEW, dtype=np.int8)
        codes = np.concatenate([known.rows["version"], self._lexicon.encode(versions)])
        contents = np.concatenate([known.rows["fingerprint"], fingerprints])
        order, new = _groups(codes, places)
        first = np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
        same = contents[order] == contents[order[first]]
        verdicts = np.zeros(len(order), dtype=np.int8)
        verdicts[order] = np.where(new, NEW, np.where(same, DUPLICATE, CONFLICT))
        return verdicts[len(known.places) :]

    def pairs(self, look: Look) -> Pairs:
        """Return what meets of these ids."""
        return self._pairs(look.predictions, _both(look.labels, look.waiting))

    def remember(self, look: Look, predictions: Predictions) -> Change:
        """Add predictions; one whose id and version are known already stays as it was."""
        before = self.pairs(look)
        new = self.repeats(look, predictions.ids, predictions.versions, predictions.fingerprints) == NEW
        rows = choose_rows(self._rows_of(predictions), new)
        self._memory.append(PREDICTION, rows)
        self._memory.keep_vectors(rows, [one for one, kept in zip(predictions.vectors, new, strict=True) if kept])
        served = _both(look.predictions, Found(look.places(predictions.ids[new]), rows))
        labels = _both(look.labels, look.waiting)
        self._keep(served, labels, known=len(look.labels.rows), waiting=look.waiting)
        return Change(before, self._pairs(served, labels), {})

    def add(self, look: Look, labels: Labels) -> Change:
        """Add labels, but for exact duplicates of known ones."""
        before, known = self.pairs(look), _both(look.labels, look.waiting)
        arrived = Found(look.given, self._label_rows(labels))
        together = _both(known, arrived)
        repeated = np.zeros(len(together.places), dtype=bool)
        if _repeat(together.places):
            order, new = _groups(*(together.rows[name] for name in _IDENTITY), together.places)
            repeated[order] = ~new
        repeated = repeated[len(known.places) :]
        fresh = Found(arrived.places[~repeated], choose_rows(arrived.rows, ~repeated))
        self._keep(look.predictions, fresh, known=0, waiting=None)
        after = self._pairs(look.predictions, _both(known, fresh))
        return Change(before, after, _count(labels.sources.take(repeated)))

    def forget(self, before: int) -> None:
        """Forget the predictions of windows that start before a time, and the labels that are of no use without them.

        A label goes with the last prediction that it met (another version may have served its id in a later window),
        and one that met none when its own time is before that time.
        """
        self._take_over()
        self._memory.forget(before)
        self._waiting.forget(before)

    def _take_over(self) -> None:
        """Take over what an older version remembered, whose labels all stand among those that wait."""
        for predictions in take_older_rows(self._connection, self._model):
            self.remember(self._look(predictions.ids), predictions)

    def _keep(self, served: Found, labels: Found, *, known: int, waiting: Found | None) -> None:
        """Keep labels for as long as what they meet: the first `known` are kept already, perhaps not for so long.

        waiting: those of the others that are known to have met nothing; None where all others are new.
        """
        prediction, label = self._meet(served, labels)
        until = labels.rows["until"].copy()
        met = np.zeros(len(until), dtype=bool)
        met[label] = True
        until[known:] = np.where(met[known:], _LEAST, until[known:])
        np.maximum.at(until, label, served.rows["until"][prediction])
        longer = until > labels.rows["until"]
        longer[known:] = met[known:]
        labels.rows["until"] = until
        self._memory.append(LABEL, choose_rows(labels.rows, longer))
        if waiting is None:
            self._waiting.add(choose_rows(labels.rows, ~met))
        else:
            self._waiting.remove(choose_rows(labels.rows[known:], met[known:]))

    def _rows_of(self, predictions: Predictions) -> Rows:
        rows = np.zeros(len(predictions), dtype=PREDICTION.columns)
        rows["head"], rows["tail"] = predictions.ids[:, 0], predictions.ids[:, 1]
        rows["start"], rows["time"] = predictions.starts, predictions.times
        # What comes for a window that is forgotten already is kept until another one is.
        rows["until"] = np.maximum(predictions.starts, self._memory.forgotten)
        rows["fingerprint"] = predictions.fingerprints
        rows["score"], rows["amount"] = predictions.scores, predictions.amounts
        rows["propensity"] = predictions.propensities
        rows["uncounted"] = predictions.uncounted
        rows["vector"] = [one is not None for one in predictions.vectors]
        for name, column in (("version", "versions"), ("decision", "decisions"), ("segments", "segments")):
            rows[name] = self._lexicon.encode(getattr(predictions, column))
        return rows

    def _label_rows(self, labels: Labels) -> Rows:
        rows = np.zeros(len(labels), dtype=LABEL.columns)
        rows["head"], rows["tail"] = labels.ids[:, 0], labels.ids[:, 1]
        rows["time"] = rows["until"] = labels.times
        rows["content"], rows["content_kind"] = self._lexicon.cells(labels.contents)
        rows["amount"], rows["amount_kind"] = self._lexicon.cells(labels.amounts)
        rows["version"] = self._lexicon.encode(labels.versions)
        rows["source"] = self._lexicon.encode(labels.sources)
        return rows

    def _meet(self, served: Found, labels: Found) -> tuple[Codes, Codes]:
        """Return the pairs of predictions and labels that meet, by their indices."""
        order = np.argsort(labels.places)
        counts = np.bincount(labels.places, minlength=int(served.places.max(initial=-1)) + 1)
        sizes, begins = counts[served.places], (np.cumsum(counts) - counts)[served.places]
        prediction = np.repeat(np.arange(len(sizes)), sizes)
        step = np.arange(len(prediction)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        label = order[begins[prediction] + step]
        limit = labels.rows["version"][label]
        fits = (limit == EMPTY) | (limit == served.rows["version"][prediction])
        return prediction[fits], label[fits]

    def _pairs(self, served: Found, labels: Found) -> Pairs:
        prediction, label = self._meet(served, labels)
        met = len(label)
        if self._silence is not None:
            prediction, label, labels = _with_silent(served, labels, prediction, label, self._silence)
        versions = self._lexicon.decode(served.rows["version"][prediction])
        contents = self._lexicon.read_cells(labels.rows["content"][label], labels.rows["content_kind"][label])
        amounts = self._lexicon.read_cells(labels.rows["amount"][label], labels.rows["amount_kind"][label])
        times, places = labels.rows["time"][label], served.places[prediction]
        if not _repeat(places):  # most ids are served once and labelled once
            order = np.argsort(places)
        else:
            limits = self._lexicon.decode(labels.rows["version"][label])
            order = np.lexsort((limits.ranks(), amounts.ranks(), contents.ranks(), times, versions.ranks(), places))
        prediction, label, silent = prediction[order], label[order], order >= met
        rows, said = choose_rows(served.rows, prediction), choose_rows(labels.rows, label)
        stakes = rows["amount"].copy()
        priced = amounts.take(order).map(_amount, np.float64) if len(label) else stakes
        return Pairs(
            prediction=np.cumsum(np.diff(prediction, prepend=-1) != 0) - 1,
            ids=served.places[prediction],
            versions=versions.take(order),
            starts=rows["start"].copy(),
            uncounted=rows["uncounted"] == 1,
            ages=said["time"] - rows["time"],
            scores=rows["score"].copy(),
            decisions=self._lexicon.decode(rows["decision"]),
            segments=self._lexicon.decode(rows["segments"]),
            vectors=self._memory.vectors(rows),
            contents=contents.take(order),
            stakes=stakes,
            amounts=np.where(np.isnan(priced), stakes, priced),
            propensities=rows["propensity"].copy(),
            label=label,
            silent=silent,
            limited=said["version"] != EMPTY,
            times=said["time"].copy(),
            sources=self._lexicon.decode(said["source"]),
        )


_LEAST: Final = -(2**63)


def _with_silent(
    served: Found, labels: Found, prediction: Codes, label: Codes, silence: int
) -> tuple[Codes, Codes, Found]:
    """Return pairs with one more of each prediction that met no label of at most this age, and labels with theirs."""
    heard = np.zeros(len(served.rows), dtype=bool)
    heard[prediction[labels.rows["time"][label] - served.rows["time"][prediction] <= silence]] = True
    silent = np.flatnonzero(~heard)
    rows = np.zeros(len(silent), dtype=labels.rows.dtype)
    rows["time"] = served.rows["time"][silent] + silence
    rows["content"] = rows["version"] = EMPTY
    rows["content_kind"] = rows["amount_kind"] = SPELLED
    added = len(labels.rows) + np.arange(len(silent))
    return (
        np.concatenate([prediction, silent]),
        np.concatenate([label, added]),
        _both(labels, Found(served.places[silent], rows)),
    )


def _both(one: Found, other: Found) -> Found:
    return Found(np.concatenate([one.places, other.places]), join_rows([one.rows, other.rows]))


def _groups(*columns: npt.NDArray[np.generic]) -> tuple[Codes, Flags]:
    """Return an order in which rows that agree in all columns stand together as they came, and where others begin."""
    order = np.lexsort(columns)
    new = np.zeros(len(order), dtype=bool)
    new[:1] = True
    for column in columns:
        held = column[order]
        new[1:] |= held[1:] != held[:-1]
    return order, new


def _repeat(places: Codes) -> bool:
    """Tell whether any place comes twice."""
    return bool(len(places)) and int(np.bincount(places).max()) > 1


def _distinct(labels: Found) -> Found:
    """Return labels once each, as what they are to be kept for longest."""
    if not _repeat(labels.places):
        return labels
    keys = [labels.rows[name] for name in _IDENTITY]
    order = np.lexsort((-labels.rows["until"], *keys, labels.places))
    places, rows = labels.places[order], choose_rows(labels.rows, order)
    new = np.ones(len(order), dtype=bool)
    new[1:] = places[1:] != places[:-1]
    for name in _IDENTITY:
        new[1:] |= rows[name][1:] != rows[name][:-1]
    return Found(places[new], choose_rows(rows, new))


def _count(sources: Coded) -> dict[str, int]:
    counts: dict[str, int] = {}
    for code, count in enumerate(np.bincount(sources.codes, minlength=len(sources.texts)).tolist()):
        if count:
            source = sources.texts[code] or ""
            counts[source] = counts.get(source, 0) + count
    return counts


def _amount(text: str | None) -> float:
    """Return a label's amount as a number; NaN where it says none."""
    try:
        return float(text or "")
    except ValueError:
        return float("nan")
