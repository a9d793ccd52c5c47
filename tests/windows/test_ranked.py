"""Metrics of rankings, against their formulas written out for one row at a time."""

import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.events.rankings import HASHES, MOST_RANKED, hash_ids, hash_rankings, spell_relevance, text_ids
from mlvitals.windows.coded import Coded
from mlvitals.windows.layout import OutputLayout, Task
from mlvitals.windows.ranked import judge_rankings, pack_rankings
from mlvitals.windows.vectors import pack_vectors

OUTPUT = OutputLayout(Task.RANKING, ranked=(1, 3, 10))
IDS = st.sampled_from([f"i{index}" for index in range(12)])
GRADES = st.dictionaries(IDS, st.sampled_from([0, 0.5, 1, 2, 3, 1e300, 5e-324]), max_size=8)


def batch(rankings):
    lists, _ = hash_rankings(text_ids(pa.array(rankings, pa.list_(pa.string()))))
    return pa.record_batch({"timestamp": pa.array([0] * len(rankings)), "prediction.ranking": lists})


def judge(rankings, labels, output=OUTPUT):
    packed = pack_rankings(batch(rankings), output, np.arange(len(rankings)))
    return judge_rankings(packed, Coded.of(labels), output.cutoffs)


def expect(ranking, grades, cutoff):
    """Return ndcg and map of one ranking, in fractions of its greatest grade so that no sum leaves the doubles."""
    greatest = max(grades.values())
    seen, gains = set(), []
    for one in ranking:
        gains.append(0.0 if one in seen else grades.get(one, 0) / greatest)
        seen.add(one)
    best = sorted((grade / greatest for grade in grades.values()), reverse=True)

    def gained(values):
        return math.fsum(value / math.log2(place + 2) for place, value in enumerate(values[:cutoff]))

    hits = [gain > 0 for gain in gains]
    precise = sum(sum(hits[: place + 1]) / (place + 1) for place in range(min(cutoff, len(hits))) if hits[place])
    relevant = sum(grade > 0 for grade in grades.values())
    return gained(gains) / gained(best), precise / min(cutoff, relevant)


@given(st.lists(st.tuples(st.none() | st.lists(IDS, max_size=14), st.none() | GRADES), max_size=9))
def test_every_ranking_has_the_values_of_the_formulas(rows):
    rankings = [ranking for ranking, _ in rows]
    labels = ["no grades" if grades is None else spell_relevance(grades) for _, grades in rows]
    found = judge(rankings, labels)
    judged = [ranking is not None and grades is not None for ranking, grades in rows]
    anything = [grades is not None and any(grades.values()) for _, grades in rows]
    assert found.measured.tolist() == [one and other for one, other in zip(judged, anything, strict=True)]
    assert found.nothing_relevant.tolist() == [one and not other for one, other in zip(judged, anything, strict=True)]
    for cutoff in OUTPUT.cutoffs:
        expected = [
            expect(ranking, grades, cutoff) for (ranking, grades), one in zip(rows, found.measured, strict=True) if one
        ]
        for place, metric in enumerate(("ndcg", "map")):
            values = [one[place] for one in expected]
            assert found.values[f"{metric}@{cutoff}"].tolist() == pytest.approx(values, rel=1e-12)


@given(st.lists(st.tuples(st.lists(IDS, max_size=14), GRADES.filter(lambda one: any(one.values()))), min_size=2))
def test_the_company_of_other_rows_changes_no_bit(rows):
    together = judge([ranking for ranking, _ in rows], [spell_relevance(grades) for _, grades in rows])
    for place, (ranking, grades) in enumerate(rows):
        alone = judge([ranking], [spell_relevance(grades)])
        for metric, values in alone.values.items():
            assert values[0] == together.values[metric][place]


def test_a_worked_example_by_hand():
    # Gains 3, 0, 2 of the grades 3, 2, 1: (3 + 2 ÷ 2) ÷ (3 + 2 ÷ log2 3 + 1 ÷ 2); precisions 1 and 2 ÷ 3 of three.
    found = judge([["a", "x", "b"]], [spell_relevance({"a": 3, "b": 2, "c": 1})])
    assert found.values["ndcg@3"][0] == pytest.approx(4 / (3 + 2 / math.log2(3) + 0.5), rel=1e-15)
    assert found.values["map@3"][0] == pytest.approx((1 + 2 / 3) / 3, rel=1e-15)
    assert [found.values[metric][0] for metric in ("ndcg@1", "map@1")] == [1.0, 1.0]


def test_a_perfect_ranking_is_worth_one_and_an_empty_one_nothing():
    grades = spell_relevance({"a": 2, "b": 1})
    found = judge([["a", "b"], []], [grades, grades])
    assert all(values.tolist() == [1.0, 0.0] for values in found.values.values())


def test_an_id_that_stands_twice_counts_at_its_first_place_only():
    found = judge([["a", "a", "b"]], [spell_relevance({"a": 1, "b": 1})])
    assert found.values["map@3"][0] == pytest.approx((1 + 2 / 3) / 2)


def test_what_is_remembered_ends_at_the_largest_cutoff():
    long = [f"i{index}" for index in range(40)]
    packed = pack_vectors(batch([long, None, []]), OUTPUT, np.arange(3))
    assert [None if one is None else len(one) for one in packed] == [2 + 8 * 10, None, 2]
    assert (packed[0] or b"")[2:] == hash_ids(long[:10]).astype("<u8").tobytes()


def test_a_ranking_remembered_for_fewer_places_than_are_asked_for_is_not_judged():
    long = [f"i{index}" for index in range(40)]
    short = pack_rankings(batch([long, long[:2]]), replace(OUTPUT, ranked=(3,)), np.arange(2))
    found = judge_rankings(short, Coded.of([spell_relevance({"i0": 1})] * 2), OUTPUT.cutoffs)
    assert found.measured.tolist() == [False, True]


def test_no_more_ids_are_read_than_any_metric_looks_at():
    lists, _ = hash_rankings(text_ids(pa.array([[str(index) for index in range(MOST_RANKED + 5)]])))
    assert lists.type == HASHES
    assert len(lists[0]) == MOST_RANKED


def test_a_model_that_ranks_nothing_remembers_nothing():
    plain = pa.record_batch({"timestamp": pa.array([0, 1])})
    assert list(pack_vectors(plain, OUTPUT, np.arange(2))) == [None, None]
