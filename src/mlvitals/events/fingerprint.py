"""A fingerprint of each row's content, by which an exact duplicate is told from a conflict."""

import hashlib
import re
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mlvitals import wire
from mlvitals.events.canonical import canonical_text, is_number, numbers

Hashes = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

_NULL: Final = np.uint64(0)
_SEED: Final = b"mlvitals row fingerprint 1"
_INTEGER: Final = re.compile(r"-?(0|[1-9]\d*)", re.ASCII)
_INEXACT_FROM: Final = 2.0**53
_LOW_BITS: Final = 0xFFF  # a double is within 1024 of any 64-bit integer that it stands for


def fingerprints(batch: pa.RecordBatch, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    """Return 64 bits for each row's content, the prediction id excepted.

    They depend on names and values only: not on the columns' order, on how other rows typed a column, on whether an
    absent column stands there as nulls, or on the format: values are one whose canonical texts are (3, 3.0 and "3").
    Two contents of one id are taken for equal with probability 2⁻⁶⁴.

    Args:
        batch: predictions.
        rows: which of its rows.

    """
    total = np.zeros(len(rows), dtype=np.uint64)
    for index, field in enumerate(batch.schema):
        if field.name == wire.PREDICTION_ID or pa.types.is_null(field.type):
            continue
        values = batch.column(index).take(pa.array(rows))
        hashes = _hash_rankings(values) if field.name == wire.PREDICTION_RANKING else _hash_values(values)
        key = np.uint64(_hash_text(field.name))
        with np.errstate(over="ignore"):
            total += np.where(hashes == _NULL, _NULL, _mix(hashes ^ key))
    return total.view(np.int64)


def _hash_values(array: pa.Array) -> Hashes:
    """Return a hash for each value, 0 for null."""
    kind = array.type
    if pa.types.is_timestamp(kind):
        hashes = _mix(np.asarray(array.cast(pa.int64()).fill_null(0)).view(np.uint64) ^ np.uint64(1))
    elif pa.types.is_integer(kind):
        values = np.asarray(array.fill_null(0))
        hashes = _hash_numbers(values.astype(np.float64), values)
    elif pa.types.is_boolean(kind) or pa.types.is_floating(kind):
        hashes = _hash_numbers(numbers(array).values, None)
    else:
        texts = array if pa.types.is_dictionary(kind) else canonical_text(array).dictionary_encode()
        distinct = _hash_texts(canonical_text(texts.dictionary, numerals=True).to_pylist())
        hashes = np.append(distinct, _NULL)[np.asarray(texts.indices.cast(pa.int64()).fill_null(-1))]
    if array.null_count:
        hashes = np.where(np.asarray(array.is_null()), _NULL, hashes)
    return hashes


def _hash_rankings(array: pa.Array) -> Hashes:
    """Return a hash for each list of hashes, in its order, 0 for null."""
    sizes = np.asarray(pc.list_value_length(array).fill_null(0)).astype(np.int64)
    ends = np.cumsum(sizes)
    places = np.arange(int(sizes.sum())) - np.repeat(ends - sizes, sizes)
    with np.errstate(over="ignore"):
        mixed = _mix(np.asarray(array.flatten()) ^ _mix(places.view(np.uint64)))
        sums = np.concatenate([[_NULL], np.cumsum(mixed, dtype=np.uint64)])
        hashes = _mix(sums[ends] - sums[ends - sizes] + sizes.view(np.uint64))
    return np.where(np.asarray(array.is_null()), _NULL, hashes)


def _hash_numbers(values: Floats, integers: npt.NDArray[np.integer] | None) -> Hashes:
    """Hash doubles; where these stand for `integers` too wide for a double, the lowest bits tell those apart."""
    plain = np.where(np.isnan(values), np.nan, values + 0.0)  # one NaN, one zero
    hashes = _mix(plain.view(np.uint64))
    if integers is None or not len(values) or np.abs(values).max() < _INEXACT_FROM:
        return hashes
    low = (integers & integers.dtype.type(_LOW_BITS)).astype(np.uint64)
    rounded = np.mod(values, _LOW_BITS + 1.0) != low
    return np.where(rounded, _mix(hashes ^ low), hashes)


def _hash_texts(spelled: list[str | None]) -> Hashes:
    """Hash canonical texts, those of numbers as the numbers that they are."""
    hashes = np.array([0 if text is None else _hash_text(text) for text in spelled], dtype=np.uint64)
    whole = [place for place, text in enumerate(spelled) if text is not None and _INTEGER.fullmatch(text)]
    known = set(whole)
    other = [place for place, text in enumerate(spelled) if text is not None and place not in known and is_number(text)]
    integers = [int(str(spelled[place])) for place in whole]
    bits = np.array([number % 2**64 for number in integers], dtype=np.uint64)
    hashes[whole] = _hash_numbers(np.array(integers, dtype=np.float64), bits)
    hashes[other] = _hash_numbers(np.array([float(str(spelled[place])) for place in other]), None)
    return hashes


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
