"""A fingerprint of each row's content, by which an exact duplicate is told from a conflict."""

import hashlib
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mlvitals import wire
from mlvitals.events.canonical import canonical_numeral, canonical_text, numbers

Hashes = npt.NDArray[np.uint64]

_NULL: Final = np.uint64(0)
_SEED: Final = b"mlvitals row fingerprint 1"


def fingerprints(batch: pa.RecordBatch, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    """Return 64 bits for each row's content, the prediction id excepted.

    They depend on names and values only: not on the columns' order, on how other rows typed a column, on whether an
    absent column stands there as nulls, or on the format (3, 3.0 and "3" are one value). Two contents of one id are
    taken for equal with probability 2⁻⁶⁴.

    Args:
        batch: predictions.
        rows: which of its rows.

    """
    total = np.zeros(len(rows), dtype=np.uint64)
    for index, field in enumerate(batch.schema):
        if field.name == wire.PREDICTION_ID or pa.types.is_null(field.type):
            continue
        hashes = _hash_values(batch.column(index).take(pa.array(rows)))
        key = np.uint64(_hash_text(field.name))
        with np.errstate(over="ignore"):
            total += np.where(hashes == _NULL, _NULL, _mix(hashes ^ key))
    return total.view(np.int64)


def _hash_values(array: pa.Array) -> Hashes:
    """Return a hash for each value, 0 for null."""
    kind = array.type
    if pa.types.is_timestamp(kind):
        hashes = _mix(np.asarray(array.cast(pa.int64()).fill_null(0)).view(np.uint64) ^ np.uint64(1))
    elif pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        hashes = _hash_floats(numbers(array).values)
    else:
        texts = array if pa.types.is_dictionary(kind) else canonical_text(array).dictionary_encode()
        distinct = [_hash_scalar(text) for text in canonical_text(texts.dictionary).to_pylist()]
        hashes = np.array([*distinct, 0], dtype=np.uint64)[np.asarray(texts.indices.fill_null(-1))]
    if array.null_count:
        hashes = np.where(np.asarray(array.is_null()), _NULL, hashes)
    return hashes


def _hash_floats(values: npt.NDArray[np.float64]) -> Hashes:
    plain = np.where(np.isnan(values), np.nan, values + 0.0)  # one NaN, one zero
    return _mix(plain.view(np.uint64))


def _hash_scalar(text: str | None) -> int:
    if text is None:
        return 0
    spelled = canonical_numeral(text)
    try:
        return int(_hash_floats(np.array([float(spelled)]))[0])
    except ValueError:
        return _hash_text(spelled)


def _hash_text(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=_SEED).digest()
    return int.from_bytes(digest, "little")


def _mix(bits: Hashes) -> Hashes:
    """Scramble 64 bits (the finalizer of SplitMix64, Steele, Lea and Flood 2014); never 0."""
    with np.errstate(over="ignore"):
        bits = bits + np.uint64(0x9E3779B97F4A7C15)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        bits = bits ^ (bits >> np.uint64(31))
    return np.where(bits == _NULL, np.uint64(1), bits)
