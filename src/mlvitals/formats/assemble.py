"""Rows as read to events: every row gets its kind, is checked by columns, and lands in its tables."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlvitals import wire
from mlvitals.events import EXAMPLES_KEPT, EventBatch, ReadAccount
from mlvitals.events.rankings import MOST_RELEVANT
from mlvitals.formats.base import DecodePlan
from mlvitals.formats.fields import Fields
from mlvitals.formats.rows import PREDICTION_NUMBERS, TIME_RANGE, Mask, Rows
from mlvitals.formats.tables import change_table, label_table, prediction_table

_UNDECIDED: Final = 0
_PREDICTION: Final = 1
_LABEL: Final = 2
_CHANGE: Final = 3
_OTHER: Final = 4
_NO_GRADES: Final = f"relevance is not an object of ids with grades from 0 on, {MOST_RELEVANT:,} above 0 at most"
_KINDS: Final = {wire.EVENT_PREDICTION: _PREDICTION, wire.EVENT_LABEL: _LABEL, wire.EVENT_CHANGE: _CHANGE}


class Roles(NamedTuple):
    """What each row is read as; a row may be both a prediction and a label, or nothing that is wanted."""

    prediction: Mask
    label: Mask
    combined: Mask
    change: Mask
    nothing: Mask


class Verdicts:
    """The first reason that makes a row unparseable, by row."""

    def __init__(self, count: int) -> None:
        self._codes: npt.NDArray[np.int8] = np.zeros(count, dtype=np.int8)
        self._reasons: list[str] = []

    def fail(self, mask: Mask, reason: str) -> None:
        """Give a reason to rows that have none yet."""
        if mask.any():
            self._reasons.append(reason)
            self._codes[mask & (self._codes == 0)] = len(self._reasons)

    @property
    def good(self) -> Mask:
        """Where nothing is wrong."""
        mask: Mask = self._codes == 0
        return mask

    def examples(self, lines: npt.NDArray[np.int64]) -> list[tuple[int, str]]:
        """Return the first bad rows' lines and reasons."""
        bad = np.flatnonzero(self._codes)[:EXAMPLES_KEPT]
        return [(int(lines[row]), self._reasons[self._codes[row] - 1]) for row in bad]


def assemble(
    rows: Rows, plan: DecodePlan, zone: str | None, *, place: str, position: bytes, requests: bool = False
) -> EventBatch:
    """Turn rows as read into events.

    A row without `event` is a prediction if it has a prediction or an error, else a label if it has one. Rows of kinds
    that the plan does not want, or that we do not know, are skipped unchecked. Where the plan wants no ids there can be
    no label events; `label` and `label_timestamp` then stand beside the prediction, as a reference needs them.
    requests: the rows are requests whose predictions are elsewhere.
    """
    fields = Fields(rows, plan, zone)
    roles = _roles(fields, plan, requests=requests)
    verdicts = Verdicts(len(rows))
    _check_common(fields, roles, verdicts, plan)
    _check_predictions(fields, roles, verdicts, plan, requests=requests)
    _check_labels(fields, roles, verdicts)
    good = verdicts.good
    used = roles.prediction | roles.label | roles.change
    parsed = int((good & used).sum())
    skipped = int((good & ~used).sum())
    examples = sorted([*verdicts.examples(rows.lines), *rows.failures])[:EXAMPLES_KEPT]
    return EventBatch(
        predictions=prediction_table(fields, roles.prediction & good, plan),
        labels=label_table(fields, roles.label & good, roles.combined),
        changes=change_table(fields, roles.change & good),
        account=ReadAccount(
            rows=len(rows) + len(rows.failures),
            parsed=parsed,
            unparseable=len(rows) - parsed - skipped + len(rows.failures),
            skipped=skipped,
            examples=tuple(f"{place}:{line}: {reason}" for line, reason in examples),
        ),
        position=position,
    )


def _roles(fields: Fields, plan: DecodePlan, *, requests: bool) -> Roles:
    served = fields.has_output | fields.there(wire.ERROR)
    labelled = fields.there(wire.LABEL) | fields.wrong(wire.RELEVANCE)
    kinds = _kinds(fields)
    kinds[(kinds == _UNDECIDED) & (served | requests)] = _PREDICTION
    kinds[(kinds == _UNDECIDED) & labelled] = _LABEL
    is_prediction = kinds == _PREDICTION
    combined = is_prediction & labelled
    wanted = plan.labels and plan.ids
    return Roles(
        prediction=is_prediction & plan.predictions,
        label=((kinds == _LABEL) | combined) & wanted,
        combined=combined & wanted,
        change=kinds == _CHANGE,
        nothing=kinds == _UNDECIDED,
    )


def _kinds(fields: Fields) -> npt.NDArray[np.int8]:
    events = fields.columns.get(wire.EVENT)
    if events is None or pa.types.is_null(events.type):
        return np.full(fields.count, _UNDECIDED, dtype=np.int8)
    if not pa.types.is_dictionary(events.type):
        if pa.types.is_nested(events.type):
            return np.where(fields.there(wire.EVENT), _OTHER, _UNDECIDED).astype(np.int8)
        events = pc.dictionary_encode(events)
    words = events.dictionary.to_pylist()
    # The last code stands for null.
    codes: npt.NDArray[np.int8] = np.array([*(_KINDS.get(word, _OTHER) for word in words), _UNDECIDED], dtype=np.int8)
    kinds: npt.NDArray[np.int8] = codes[np.asarray(events.indices.fill_null(len(words)))]
    return kinds


def _check_common(fields: Fields, roles: Roles, verdicts: Verdicts, plan: DecodePlan) -> None:
    verdicts.fail(roles.nothing, "neither a kind of event, nor a prediction, nor a label")
    used = roles.prediction | roles.label | roles.change
    times = fields.time
    verdicts.fail(used & fields.wrong(TIME_RANGE), "the time is outside the years 1 to 9999")
    verdicts.fail(used & fields.wrong(wire.TIMESTAMP), "the time is not text")
    timed = used if plan.times else roles.label | roles.change
    verdicts.fail(timed & ~fields.there(wire.TIMESTAMP), "no time")
    verdicts.fail(used & times.unreadable, "the time cannot be read")
    verdicts.fail(used & times.naive, "the time names no zone, and the format has none configured")
    verdicts.fail(used & times.out_of_range, "the time is outside the years 1 to 9999")
    named = roles.prediction | roles.label
    verdicts.fail(used & fields.wrong(wire.MODEL), "the model is neither text nor a number")
    verdicts.fail(named & fields.missing_model, "no model")
    verdicts.fail(roles.change & ~fields.has(wire.KIND), "a change without its kind")


def _check_predictions(fields: Fields, roles: Roles, verdicts: Verdicts, plan: DecodePlan, *, requests: bool) -> None:
    rows = roles.prediction
    verdicts.fail(rows & fields.wrong(wire.FEATURES), "the features are not an object")
    verdicts.fail(rows & fields.wrong(wire.PREDICTION), "the prediction is not an object")
    if not requests:
        verdicts.fail(rows & ~fields.has_output & ~fields.there(wire.ERROR), "neither a prediction nor an error")
    verdicts.fail(rows & fields.wrong(wire.PREDICTION_LABEL), "prediction.label is not a scalar")
    for name in PREDICTION_NUMBERS:
        verdicts.fail(rows & fields.wrong(name), f"{name} is not a number")
    if plan.rankings:
        ranked = "prediction.ranking is not a list of ids (texts or numbers)"
        verdicts.fail(rows & fields.wrong(wire.PREDICTION_RANKING) & ~fields.has_plain_output, ranked)
    verdicts.fail(rows & fields.wrong_probability, "a probability of prediction.probabilities is not a number")
    verdicts.fail(rows & fields.wrong(wire.MODEL_VERSION), "the model's version is neither text nor a number")
    if plan.ids:
        needed = rows | roles.label
        verdicts.fail(needed & fields.wrong(wire.PREDICTION_ID), "the prediction id is neither text nor a number")
        verdicts.fail(needed & ~fields.has(wire.PREDICTION_ID), "no prediction id")


def _check_labels(fields: Fields, roles: Roles, verdicts: Verdicts) -> None:
    rows = roles.label
    if not rows.any():
        return
    verdicts.fail(rows & fields.wrong(wire.RELEVANCE) & ~fields.there(wire.LABEL), _NO_GRADES)
    verdicts.fail(rows & fields.wrong(wire.LABEL), "the label is not a scalar")
    verdicts.fail(rows & ~fields.there(wire.LABEL), "a label event without its label")
    native = rows & ~roles.combined
    verdicts.fail(native & fields.wrong(wire.AMOUNT), f"{wire.AMOUNT} is not a number")
    verdicts.fail(native & fields.wrong(wire.LABEL_VERSION), "the label's version is neither text nor a number")
    verdicts.fail(roles.combined & fields.wrong(wire.LABEL_AMOUNT), f"{wire.LABEL_AMOUNT} is not a number")
    times = fields.label_time
    bad = fields.wrong(wire.LABEL_TIMESTAMP) | times.unreadable | times.naive | times.out_of_range
    verdicts.fail(roles.combined & bad, "the label's time cannot be read")
