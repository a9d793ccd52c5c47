"""The fields of native events in rows as read, each in the one type that it has in an event batch."""

from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlvitals import wire
from mlvitals.events import canonical_text
from mlvitals.events.rankings import hash_rankings, is_relevance, spell_pairs, text_ids
from mlvitals.formats.base import DecodePlan
from mlvitals.formats.rows import (
    NAME_FIELDS,
    NUMBER_FIELDS,
    SCALAR_FIELDS,
    TIME_FIELDS,
    Mask,
    Rows,
    valid,
)
from mlvitals.formats.times import Times, read_times

_OUTPUTS: Final = (
    wire.PREDICTION_LABEL,
    wire.PREDICTION_SCORE,
    wire.PREDICTION_VALUE,
    wire.PREDICTION_PROBABILITIES,
)
_FLATTENED_OUTPUTS: Final = (wire.PROBABILITY_PREFIX, wire.PREDICTION_RANKING + ".")


class Fields:
    """Typed access to rows: numbers are float64, names are text, labels any scalar; all else is `wrong`."""

    def __init__(self, rows: Rows, plan: DecodePlan, zone: str | None) -> None:
        self.count = len(rows)
        self.columns = dict(rows.columns)
        self._wrong = dict(rows.wrong)
        self._zone = zone
        self._plan = plan
        self._type_times()
        self._type_numbers()
        self._type_names()
        self._type_scalars()
        self._type_error()
        if plan.rankings:
            self._type_ranking()
            self._type_relevance()

    def get(self, name: str) -> pa.Array | None:
        """Return a field's column, or None where there is nothing in it."""
        array = self.columns.get(name)
        return None if array is None or array.null_count == len(array) else array

    def wrong(self, name: str) -> Mask:
        """Return where the field holds something of a type that it cannot have."""
        mask = self._wrong.get(name)
        return np.zeros(self.count, dtype=bool) if mask is None else mask

    def has(self, name: str) -> Mask:
        """Return where the field has a value."""
        array = self.columns.get(name)
        return np.zeros(self.count, dtype=bool) if array is None else valid(array)

    def there(self, name: str) -> Mask:
        """Return where the field holds anything, right or wrong."""
        return self.has(name) | self.wrong(name)

    @cached_property
    def has_output(self) -> Mask:
        """Where there is any kind of prediction."""
        return self.has_plain_output | self.there(wire.PREDICTION_RANKING)

    @cached_property
    def has_plain_output(self) -> Mask:
        """Where there is a prediction that is more than a ranking."""
        output = np.zeros(self.count, dtype=bool)
        for name in _OUTPUTS:
            output |= self.there(name)
        for name in self.columns:
            if name.startswith(_FLATTENED_OUTPUTS):
                output |= self.has(name)
        return output | self.wrong_probability

    @cached_property
    def probabilities(self) -> list[str]:
        """The columns of classes' probabilities, in order; none where the plan does not ask for them."""
        if not self._plan.probabilities:
            return []
        return [name for name in self.columns if name.startswith(wire.PROBABILITY_PREFIX)]

    @cached_property
    def wrong_probability(self) -> Mask:
        """Where any class's probability is no number."""
        wrong = np.zeros(self.count, dtype=bool)
        for name, mask in self._wrong.items():
            if name.startswith(wire.PROBABILITY_PREFIX):
                wrong |= mask
        return wrong

    @cached_property
    def time(self) -> Times:
        """The rows' times."""
        return self._times(wire.TIMESTAMP)

    @cached_property
    def label_time(self) -> Times:
        """The times of labels in rows that are predictions too."""
        return self._times(wire.LABEL_TIMESTAMP)

    @cached_property
    def missing_model(self) -> Mask:
        """Where neither the row nor the plan names a model."""
        return ~self.has(wire.MODEL) & (self._plan.model is None)

    @cached_property
    def model(self) -> pa.Array:
        """The rows' models, the plan's where a row names none."""
        array = self.get(wire.MODEL)
        if array is None:
            default = pa.array([self._plan.model], pa.string())
            return pa.DictionaryArray.from_arrays(pa.array(np.zeros(self.count, dtype=np.int32)), default)
        if array.null_count == 0 or self._plan.model is None:
            return array
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        return array.fill_null(self._plan.model)

    def _times(self, name: str) -> Times:
        array = self.columns.get(name)
        return read_times(pa.nulls(self.count) if array is None else array, self._zone)

    def _mark_wrong(self, name: str) -> None:
        """Take a whole column out, because its type cannot be that of the field."""
        self._wrong[name] = self.there(name)
        del self.columns[name]

    def _type_times(self) -> None:
        for name in TIME_FIELDS:
            array = self.columns.get(name)
            if array is None or pa.types.is_null(array.type):
                continue
            kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
            if not (_is_text(kind) or pa.types.is_timestamp(kind)):
                self._mark_wrong(name)

    def _type_numbers(self) -> None:
        for name in (*NUMBER_FIELDS, *self.probabilities):
            array = self.columns.get(name)
            if array is None or pa.types.is_float64(array.type) or pa.types.is_null(array.type):
                continue
            if pa.types.is_integer(array.type) or pa.types.is_floating(array.type) or pa.types.is_decimal(array.type):
                self.columns[name] = pc.cast(array, pa.float64(), safe=False)
            else:
                self._mark_wrong(name)

    def _type_names(self) -> None:
        for name in NAME_FIELDS:
            array = self.columns.get(name)
            if array is None or pa.types.is_null(array.type):
                continue
            kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
            if not (_is_text(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)):
                self._mark_wrong(name)
                continue
            if name not in {wire.MODEL, wire.MODEL_VERSION} and pa.types.is_dictionary(array.type):
                array = array.dictionary_decode()
            self.columns[name] = _without_empty(canonical_text(array))

    def _type_scalars(self) -> None:
        for name in SCALAR_FIELDS:
            array = self.columns.get(name)
            if array is None or pa.types.is_null(array.type):
                continue
            if pa.types.is_dictionary(array.type):
                array = array.dictionary_decode()
            if not (_is_text(array.type) or pa.types.is_primitive(array.type) or pa.types.is_decimal(array.type)):
                self._mark_wrong(name)
            elif pa.types.is_floating(array.type):
                self.columns[name] = _without_nan(array)
            else:
                self.columns[name] = array

    def _type_ranking(self) -> None:
        array = self.columns.get(wire.PREDICTION_RANKING)
        if array is None or pa.types.is_null(array.type):
            return
        texts = text_ids(array)
        if texts is None:
            self._mark_wrong(wire.PREDICTION_RANKING)
            return
        self.columns[wire.PREDICTION_RANKING], wrong = hash_rankings(texts)
        self._wrong[wire.PREDICTION_RANKING] = self.wrong(wire.PREDICTION_RANKING) | wrong

    def _type_relevance(self) -> None:
        """Make what was relevant the label of a row that has no other one."""
        array = self.columns.pop(wire.RELEVANCE, None)
        if array is None or array.null_count == len(array):
            return
        spelled = _spell_grades(array)
        self._wrong[wire.RELEVANCE] = self.wrong(wire.RELEVANCE) | (valid(array) & ~valid(spelled))
        label = self.get(wire.LABEL)
        self.columns[wire.LABEL] = spelled if label is None else _with_grades(label, spelled)

    def _type_error(self) -> None:
        array = self.columns.get(wire.ERROR)
        if array is None or array.null_count == len(array):
            return
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        if pa.types.is_boolean(array.type):
            # `error: false` says that there was none.
            array = pc.if_else(array.fill_null(False), "true", pa.scalar(None, pa.string()))  # noqa: FBT003  # Arrow's
        elif pa.types.is_nested(array.type):
            array = pc.if_else(array.is_valid(), wire.ERROR, pa.scalar(None, pa.string()))
        else:
            array = _without_empty(canonical_text(array))
        self.columns[wire.ERROR] = array


def _with_grades(label: pa.Array, spelled: pa.Array) -> pa.Array:
    if not label.null_count or spelled.null_count == len(spelled):
        return label
    texts = canonical_text(label.dictionary_decode() if pa.types.is_dictionary(label.type) else label)
    return pc.coalesce(texts.cast(pa.string()), spelled)


def _spell_grades(array: pa.Array) -> pa.Array:
    """Return grades as texts: those that a format has spelt already, or maps and structs, null where they are none."""
    if _is_text(array.type):
        return pa.array([text if is_relevance(text) else None for text in array.to_pylist()], pa.string())
    if pa.types.is_map(array.type):
        return pa.array([None if one is None else spell_pairs(one) for one in array.to_pylist()], pa.string())
    return pa.nulls(len(array), pa.string())


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _without_empty(text: pa.Array) -> pa.Array:
    """Return text with empty values as nulls: formats without nulls write them so."""
    if pa.types.is_dictionary(text.type):
        if "" not in text.dictionary.to_pylist():
            return text
        text = text.dictionary_decode()
    empty = pc.equal(pc.binary_length(text), 0)
    if not pc.any(empty).as_py():
        return text
    return pc.if_else(empty.fill_null(True), pa.scalar(None, text.type), text)  # noqa: FBT003  # Arrow's signature


def _without_nan(array: pa.Array) -> pa.Array:
    """Return labels with NaN as null: it says that there is none."""
    nan = pc.is_nan(array)
    if not pc.any(nan).as_py():
        return array
    return pc.if_else(nan.fill_null(True), pa.scalar(None, array.type), array)  # noqa: FBT003  # Arrow's signature
