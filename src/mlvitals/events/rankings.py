"""Rankings and what was relevant in them: ids become hashes where they are read, and travel no further."""

import base64
import binascii
import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlvitals.events.canonical import canonical_numeral, canonical_text

# Ids of a ranking behind these are not read: no metric looks further.
MOST_RANKED: Final = 100
MOST_RELEVANT: Final = 1_000
IDS: Final = pa.list_(pa.string())
HASHES: Final = pa.list_(pa.uint64())

_SEED: Final = b"mlvitals ranked id 1"
_PREFIX: Final = "relevance:"

Hashes = npt.NDArray[np.uint64]
Grades = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class Relevance(NamedTuple):
    """What a label says: hashes of the relevant ids, ascending, each once, and their grades, above 0."""

    items: Hashes
    grades: Grades


def hash_ids(ids: Iterable[str]) -> Hashes:
    """Return 64 bits for each id's text; two ids share theirs with probability 2⁻⁶⁴."""
    digests = (hashlib.blake2b(one.encode("utf-8", "surrogatepass"), digest_size=8, key=_SEED).digest() for one in ids)
    return np.frombuffer(b"".join(digests), dtype="<u8")


def text_ids(array: pa.Array) -> pa.Array | None:
    """Return lists of ids as lists of their canonical texts, at most `MOST_RANKED` each; None where they are no ids.

    Ids are texts or numbers: 7, 7.0 and "7" are one. A null in a list stays.
    """
    if not (pa.types.is_list(array.type) or pa.types.is_large_list(array.type)):
        return None
    kind = array.type.value_type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_nested(kind) or pa.types.is_boolean(kind) or pa.types.is_temporal(kind) or pa.types.is_binary(kind):
        return None
    values = array.flatten()
    values = pa.nulls(len(values), pa.string()) if pa.types.is_null(kind) else canonical_text(values).cast(pa.string())
    return _cut(_lists(array, values))


def hash_rankings(texts: pa.Array) -> tuple[pa.Array, Mask]:
    """Return what `text_ids` gave as lists of hashes, and which rows hold a null among their ids: these are null."""
    values = texts.flatten()
    wrong = np.zeros(len(texts), dtype=bool)
    wrong[np.asarray(pc.list_parent_indices(texts))[np.asarray(values.is_null())]] = True
    encoded = values.dictionary_encode()
    known = np.append(hash_ids(encoded.dictionary.to_pylist()), np.uint64(0))
    hashes = pa.array(known[np.asarray(encoded.indices.fill_null(len(known) - 1))], pa.uint64())
    ranked = _lists(texts, hashes)
    return (pc.if_else(pa.array(wrong), pa.scalar(None, HASHES), ranked) if wrong.any() else ranked), wrong


def spell_relevance(grades: object) -> str | None:
    """Return grades by id as one text, the same for the same grades; None where they are no such thing.

    Grades are finite numbers from 0 on, `MOST_RELEVANT` of them above 0 at most. One of 0 says nothing, and is left.
    """
    if not isinstance(grades, Mapping) or not all(_is_grade(grade) for grade in grades.values()):
        return None
    relevant = {str(one): float(grade) for one, grade in grades.items() if grade > 0}
    if len(relevant) > MOST_RELEVANT:
        return None
    items, places = np.unique(hash_ids(relevant), return_index=True)
    values = np.array(list(relevant.values()), dtype="<f8")[places]
    return _PREFIX + base64.b64encode(items.astype("<u8").tobytes() + values.tobytes()).decode("ascii")


def spell_pairs(pairs: Sequence[tuple[str | float, object]]) -> str | None:
    """Return ids and their grades as `spell_relevance` does; None where an id stands twice, too."""
    grades = {one if isinstance(one, str) else canonical_numeral(repr(one)): grade for one, grade in pairs}
    return spell_relevance(grades) if len(grades) == len(pairs) else None


def is_relevance(text: str | None) -> bool:
    """Tell whether a label's text is one that `spell_relevance` gave, as far as its beginning says."""
    return text is not None and text.startswith(_PREFIX)


def read_relevance(text: str | None) -> Relevance | None:
    """Return what `spell_relevance` was given; None where the label says something else."""
    if text is None or not text.startswith(_PREFIX):
        return None
    try:
        data = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
        half = np.frombuffer(data, dtype="<u8")
    except (binascii.Error, ValueError):
        return None
    if len(half) % 2:
        return None
    return Relevance(half[: len(half) // 2], half[len(half) // 2 :].view("<f8"))


def _is_grade(grade: object) -> bool:
    if isinstance(grade, bool) or not isinstance(grade, int | float):
        return False
    try:
        return math.isfinite(float(grade)) and grade >= 0
    except OverflowError:
        return False


def _lists(like: pa.Array, values: pa.Array) -> pa.Array:
    """Return the values of lists, as `flatten` gives them, in lists as long as these."""
    sizes = np.asarray(pc.list_value_length(like).fill_null(0)).astype(np.int32)
    offsets = pa.array(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32))
    return pa.ListArray.from_arrays(offsets, values, mask=like.is_null() if like.null_count else None)


def _cut(lists: pa.Array) -> pa.Array:
    longest = pc.max(pc.list_value_length(lists)).as_py()
    return lists if longest is None or longest <= MOST_RANKED else pc.list_slice(lists, 0, MOST_RANKED)
