"""Coding categories: text to the index of its bin, remembering what the last batch's dictionary was coded to."""

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlvitals.events import canonical_text
from mlvitals.windows.bins import MISSING, OTHER, UNSEEN, CategoryBins

Codes = npt.NDArray[np.intp]

_SMALL_DICTIONARY: Final = 256
_LARGE_DICTIONARY: Final = 1 << 20

Spell = Callable[[pa.Array], pa.Array]
_TRUTHS: Final = {"true": "true", "t": "true", "yes": "true", "y": "true", "on": "true", "1": "true"}
_FALSEHOODS: Final = {"false": "false", "f": "false", "no": "false", "n": "false", "off": "false", "0": "false"}
_SPELT: Final = _TRUTHS | _FALSEHOODS

# How a class is spelt: 1, 1.0, "1" and true are one.
class_text: Final[Spell] = partial(canonical_text, numerals=True)


def truth_text(array: pa.Array) -> pa.Array:
    """Return truth values as `true` and `false`, however they are spelt; what is none stays as it is."""
    texts = class_text(array)
    if pa.types.is_dictionary(texts.type):
        return pa.DictionaryArray.from_arrays(texts.indices, truth_text(texts.dictionary))
    encoded = texts.cast(pa.string()).dictionary_encode()
    spelt = [_SPELT.get(text.lower(), text) for text in encoded.dictionary.to_pylist()]
    return pa.array(spelt, pa.string()).take(encoded.indices)


class CategoryCoder:
    """Codes one column under its bins: own bins from 0, then missing, other and unseen.

    Parquet hands out a dictionary that only grows from batch to batch, so its known prefix is coded once, up to a
    million values of it. spell: how values are spelt before they are looked up.
    """

    def __init__(self, bins: CategoryBins, spell: Spell = canonical_text) -> None:
        self._bins = bins
        self._spell = spell
        self._values = pa.array(bins.values, pa.string())
        self._dictionary: pa.Array | None = None
        self._table: Codes = np.zeros(0, dtype=np.intp)

    def codes(self, array: pa.Array) -> Codes:
        """Return each value's code."""
        if not self._bins.values:
            return self._codes_of_unknown(array)
        if pa.types.is_nested(array.type):
            array = canonical_text(array)  # such values have no dictionary: a vector where a category was expected
        encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
        table = self._code_dictionary(encoded.dictionary)
        if encoded.null_count == 0:
            indices: Codes = np.asarray(encoded.indices)
            return table[indices]
        padded = np.append(table, self._bins.size + MISSING)
        filled: Codes = np.asarray(encoded.indices.cast(pa.int64()).fill_null(len(table)))
        return padded[filled]

    def _codes_of_unknown(self, array: pa.Array) -> Codes:
        """Return codes where no value is known: whether there is one is all that counts."""
        missing = pc.is_null(array)  # looks into a dictionary too, which may hold null
        present = self._bins.size + (UNSEEN if self._bins.closed else OTHER)
        return np.where(np.asarray(missing), self._bins.size + MISSING, present).astype(np.intp)

    def _code_dictionary(self, dictionary: pa.Array) -> Codes:
        known = self._known_prefix(dictionary)
        if known == len(dictionary) > 0:
            return self._table[:known]
        fresh = self._code_texts(self._spell(dictionary.slice(known)))
        table = np.concatenate([self._table[:known], fresh])
        if _SMALL_DICTIONARY < len(dictionary) <= _LARGE_DICTIONARY:
            self._dictionary, self._table = dictionary, table
        return table

    def _known_prefix(self, dictionary: pa.Array) -> int:
        before = self._dictionary
        if before is None or len(before) > len(dictionary) or before.type != dictionary.type:
            return 0
        return len(before) if dictionary.slice(0, len(before)).equals(before) else 0

    def _code_texts(self, texts: pa.Array) -> Codes:
        if pa.types.is_dictionary(texts.type):
            texts = texts.cast(pa.string())
        bins = self._bins
        ranks = np.asarray(pc.index_in(texts, value_set=self._values).fill_null(-1)).astype(np.intp)
        unknown = bins.size + (UNSEEN if bins.closed else OTHER)
        codes = np.where(ranks < 0, unknown, np.where(ranks < bins.own, ranks, bins.size + OTHER))
        if texts.null_count:
            codes[np.asarray(texts.is_null())] = bins.size + MISSING
        return codes


class Coders:
    """The coders of a pipeline's layouts, each made when it is first needed."""

    def __init__(self) -> None:
        self._coders: dict[tuple[str, int], tuple[CategoryBins, CategoryCoder]] = {}

    def coder(self, name: str, bins: CategoryBins, spell: Spell) -> CategoryCoder:
        """Return the coder of a column under these bins; a column's values are always spelt alike."""
        held = self._coders.get((name, id(bins)))
        if held is None or held[0] is not bins:
            held = self._coders[name, id(bins)] = (bins, CategoryCoder(bins, spell))
        return held[1]
