"""e-BH: the share of false names is bounded by their e-values, whichever they are."""

from math import inf, log10

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.decisions.discovery import FALSE_SHARE, discoveries

decades = st.lists(st.floats(-3, 6), min_size=1, max_size=40)
shares = st.sampled_from([0.01, 0.1, 0.5, 1.0])


def by_name(evidence):
    return {str(place): one for place, one in enumerate(evidence)}


@given(decades, shares, st.data())
def test_the_share_of_false_names_is_at_most_what_their_e_values_say(evidence, share, data):
    still = data.draw(st.sets(st.sampled_from(range(len(evidence)))))
    named = [int(name) for name in discoveries(by_name(evidence), share)]
    false = len(still.intersection(named)) / max(len(named), 1)
    assert false <= share / len(evidence) * sum(10 ** evidence[one] for one in still) * (1 + 1e-9)


@given(decades, shares)
def test_as_many_as_can_be_are_named(evidence, share):
    count = len(evidence)
    largest = sorted(evidence, reverse=True)
    sizes = [k for k in range(1, count + 1) if 10 ** largest[k - 1] * k * share >= count * (1 + 1e-9)]
    named = [int(name) for name in discoveries(by_name(evidence), share)]
    assert len(named) >= max(sizes, default=0)
    assert [evidence[one] for one in named] == largest[: len(named)]


def test_many_that_moved_need_less_evidence_each():
    alone = {"a": log10(250), "b": 0.0, "c": 0.0}
    assert discoveries(alone | {"a": log10(29)}) == []
    assert discoveries(alone | {"a": log10(31)}) == ["a"]
    assert discoveries(dict.fromkeys("abc", log10(11))) == ["a", "b", "c"]


@pytest.mark.parametrize(("evidence", "named"), [({}, []), ({"a": inf, "b": -inf}, ["a"]), ({"a": -inf}, [])])
def test_of_nothing_and_of_extremes_what_there_is_is_named(evidence, named):
    assert discoveries(evidence) == named


def test_false_names_are_as_rare_as_promised_where_e_values_depend_on_each_other():
    random = np.random.default_rng(3)
    moved, count, rounds = 5, 30, 2000
    false = []
    for _ in range(rounds):
        common = random.normal()
        news = 0.8 * common + 0.6 * random.normal(size=count)
        bet = 3.0
        evidence = (bet * (news + np.where(np.arange(count) < moved, 5.0, 0.0)) - bet**2 / 2) / np.log(10)
        named = discoveries(by_name(evidence.tolist()))
        false.append(sum(int(one) >= moved for one in named) / max(len(named), 1))
    assert np.mean(false) + 3 * np.std(false) / np.sqrt(rounds) < FALSE_SHARE
