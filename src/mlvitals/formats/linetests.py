"""The tests of a mapping on columns: which lines are read, which half they are, which requests failed."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mlvitals.events import canonical_text
from mlvitals.events.canonical import canonical_numeral
from mlvitals.formats.documents import canonical_text_of
from mlvitals.formats.fieldmap import Tests
from mlvitals.formats.mappedcolumns import number_column
from mlvitals.formats.mapping import Scalar, comparison
from mlvitals.formats.paths import spell_path
from mlvitals.formats.rows import Mask, as_text, valid
from mlvitals.formats.unfold import SlowError, Unfolded

_COMPARE: Final = {">=": pc.greater_equal, "<=": pc.less_equal, ">": pc.greater, "<": pc.less}


def passing(unfolded: Unfolded, tests: Tests) -> Mask:
    """Return the lines for which all tests hold."""
    mask = np.ones(len(unfolded.lines), dtype=bool)
    for path, several in tests:
        array = unfolded.line_column(path)
        mask &= np.logical_or.reduce([_holds(array, one, len(mask)) for one in several])
    return mask


def failures(unfolded: Unfolded, tests: Tests) -> pa.Array | None:
    """Return, for each line, the first test that holds as path and value; None where no line failed."""
    told: pa.Array | None = None
    for path, several in tests:
        array = unfolded.line_column(path)
        count = len(unfolded.lines)
        held = np.logical_or.reduce([_holds(array, one, count) for one in several])
        if not held.any():
            continue
        if array is not None and pa.types.is_nested(array.type) and not _holds_texts(array.type):
            raise SlowError  # told as JSON, in which 1 and 1.0 differ
        name = pa.repeat(pa.scalar(spell_path(path)), count)
        text = name if array is None else pc.coalesce(pc.binary_join_element_wise(name, as_text(array), " "), name)
        text = pc.if_else(pa.array(held), text, pa.scalar(None, pa.string()))
        told = text if told is None else pc.coalesce(told, text)
    return told


def _holds_texts(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) and pa.types.is_string(kind.value_type))


def _holds(array: pa.Array | None, test: Scalar, count: int) -> Mask:
    compared = comparison(test)
    differs = compared is not None and compared[0] == "!="
    if array is None:
        return np.full(count, test is None or differs)
    if test is None or test == "*":
        there = valid(array)
        return ~there if test is None else there & ~_is_empty(array)
    if compared is None:
        return _equals(array, canonical_text_of(test))
    if differs:
        return ~_equals(array, canonical_numeral(compared[1]))
    held = _COMPARE[compared[0]](number_column(array, None, "").array, float(compared[1]))
    return _mask(held)


def _equals(array: pa.Array, text: str) -> Mask:
    if pa.types.is_nested(array.type):
        return np.zeros(len(array), dtype=bool)
    return _mask(pc.equal(canonical_text(array, numerals=True).cast(pa.string()), text))


def _mask(held: pa.Array) -> Mask:
    mask: Mask = np.asarray(held.fill_null(False))  # noqa: FBT003  # Arrow's signature
    return mask


def _is_empty(array: pa.Array) -> Mask:
    if pa.types.is_struct(array.type):
        raise SlowError  # an empty object and one of other fields look alike here
    if pa.types.is_list(array.type):
        return _mask(pc.equal(pc.list_value_length(array), 0))
    if pa.types.is_string(array.type):
        return _mask(pc.equal(array, ""))
    return np.zeros(len(array), dtype=bool)
