"""Ids as hashes, and grades as one text that is the same for the same grades."""

import math

import numpy as np
import pyarrow as pa
import pytest

from mlvitals.events.fingerprint import fingerprints
from mlvitals.events.rankings import (
    MOST_RELEVANT,
    hash_ids,
    hash_rankings,
    read_relevance,
    spell_pairs,
    spell_relevance,
    text_ids,
)


def hashed(rows, kind=None):
    return hash_rankings(text_ids(pa.array(rows, kind)))[0].to_pylist()


def test_an_id_is_the_same_as_a_text_and_as_a_number():
    assert hashed([["7", "2.5"]]) == hashed([[7.0, 2.5]])
    assert hashed([["7"]]) == hashed([[7]], pa.list_(pa.int32()))
    assert hashed([[2**60]]) != hashed([[2**60 + 1]])
    assert hashed([["007"]]) != hashed([[7]])


def test_lists_of_anything_else_are_no_ids():
    for kind in (pa.list_(pa.bool_()), pa.list_(pa.list_(pa.string())), pa.list_(pa.date32()), pa.string()):
        assert text_ids(pa.nulls(2, kind)) is None


def test_a_null_among_ids_takes_its_list_and_no_other():
    lists, wrong = hash_rankings(text_ids(pa.array([["a"], None, ["b", None], []], pa.list_(pa.string()))))
    assert wrong.tolist() == [False, False, True, False]
    assert lists.to_pylist() == [hash_ids(["a"]).tolist(), None, None, []]


def test_a_slice_of_lists_is_read_as_a_slice():
    rows = [["a"], ["b", "c"], None, ["d"]]
    assert (
        hashed(pa.array(rows).slice(1).to_pylist()) == hash_rankings(text_ids(pa.array(rows).slice(1)))[0].to_pylist()
    )


def test_grades_come_back_by_their_ids_hashes():
    found = read_relevance(spell_relevance({"a": 2, "b": 0.5, "c": 0}))
    assert found is not None
    told = dict(zip(found.items.tolist(), found.grades.tolist(), strict=True))
    assert told == dict(zip(hash_ids(["a", "b"]).tolist(), [2.0, 0.5], strict=True))
    assert (np.diff(found.items.astype(object)) > 0).all()


def test_the_order_of_keys_and_grades_of_nought_do_not_matter():
    assert spell_relevance({"a": 1, "b": 2}) == spell_relevance({"b": 2.0, "c": 0, "a": 1})
    assert spell_relevance({}) == spell_relevance({"a": 0})


@pytest.mark.parametrize("grade", [-1, math.nan, math.inf, True, "1", None, [1], 10**400])
def test_what_is_no_grade_is_refused(grade):
    assert spell_relevance({"a": 1, "b": grade}) is None


def test_more_relevant_ids_than_the_bound_are_refused():
    most = dict.fromkeys(map(str, range(MOST_RELEVANT)), 1)
    assert spell_relevance(most | {"none": 0}) is not None
    assert spell_relevance(most | {"one more": 1}) is None


@pytest.mark.parametrize(
    "text", [None, "", "1", "relevance:", "relevance:x", "relevance:AAAA", "relevance:AAAAAAAAAAA="]
)
def test_a_label_that_says_something_else_says_nothing_of_relevance(text):
    found = read_relevance(text)
    assert found is None or not len(found.items)


def test_an_id_that_stands_twice_in_a_map_is_refused():
    assert spell_pairs([("a", 1), ("b", 2)]) == spell_relevance({"a": 1, "b": 2})
    assert spell_pairs([("a", 1), ("a", 2)]) is None
    assert spell_pairs([(7, 1)]) == spell_relevance({"7": 1})


def test_the_fingerprint_tells_rankings_by_their_ids_and_order():
    rows = [["a", "b"], ["b", "a"], ["a"], [], None, ["a", "b"]]
    lists, _ = hash_rankings(text_ids(pa.array(rows)))
    found = fingerprints(pa.record_batch({"prediction.ranking": lists}), np.arange(len(rows)))
    assert found[0] == found[-1]
    assert len(set(found.tolist())) == 5
    assert found[2:3] == fingerprints(pa.record_batch({"prediction.ranking": lists.slice(2)}), np.arange(1))
