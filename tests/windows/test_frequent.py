"""Counting values in bounded memory, against a counter that forgets nothing."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.windows import frequent as frequent_module
from mlvitals.windows.frequent import FrequentValues

WORDS = st.sampled_from([f"w{n}" for n in range(30)])
BATCHES = st.lists(st.lists(st.none() | WORDS, max_size=40), max_size=12)


def count(batches):
    counted = FrequentValues()
    for batch in batches:
        counted.add(pa.array(batch, pa.string()))
    return counted


def truth(batches):
    return Counter(value for batch in batches for value in batch if value is not None)


@given(BATCHES)
def test_few_values_are_counted_exactly(batches):
    counted = count(batches)
    assert counted.counts() == truth(batches)
    assert counted.complete


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(frequent_module, "VALUES_KEPT", 7)
    monkeypatch.setattr(frequent_module, "BYTES_KEPT", 7 * 128)


@pytest.mark.usefixtures("small")
def test_of_many_values_the_frequent_are_kept_and_the_error_is_told():
    random = np.random.default_rng(0)
    for _ in range(200):
        batches = [[f"w{n}" for n in random.zipf(1.5, 40) if n < 1_000] for _ in range(12)]
        counted, every = count(batches), truth(batches)
        held = counted.counts()
        assert len(held) <= 7
        assert counted.error <= every.total() / 8
        for value, number in every.items():
            assert number - counted.error <= held.get(value, 0) <= number
        assert counted.complete == (len(every) <= 7)


@pytest.mark.usefixtures("small")
def test_long_values_are_too_much_sooner():
    counted = count([[f"{n}" * 500 for n in range(5)]])
    assert len(counted.counts()) <= 1
    assert not counted.complete


@pytest.mark.parametrize("encode", ["mask", "encode"])
def test_dictionaries_are_counted_as_their_values(encode):
    counted = FrequentValues()
    counted.add(pa.array(["a", None, "b", "a"]).dictionary_encode(null_encoding=encode))
    counted.add(pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["a", "a"])))
    assert counted.counts() == {"a": 4, "b": 1}


def test_a_million_values_are_counted_in_the_memory_of_a_quarter_of_them():
    counted = FrequentValues()
    before, most = pa.total_allocated_bytes(), 0
    for start in range(0, 1_000_000, 50_000):
        rare = [f"value {n:07}" for n in range(start, start + 50_000)]
        counted.add(pa.array([*rare, *["frequent"] * 5_000]))
        most = max(most, pa.total_allocated_bytes() - before)
    assert most < 64 << 20
    assert not counted.complete
    held = counted.counts()
    assert 100_000 - counted.error <= held["frequent"] <= 100_000
    assert counted.error <= 1_100_000 / 250_001
