"""Texts by code, and as cells in which numbers take no code."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.windows.coded import SPELLED, Coded, Lexicon

TEXTS = st.lists(
    st.none()
    | st.text(max_size=3)
    | st.floats().map(repr)
    | st.integers().map(str)
    | st.sampled_from(["1", "1.0", "-0", "-0.0", "1e5", "nan", "inf", "9007199254740993", "1_0", " 1", "٣"])
)


@given(TEXTS, TEXTS)
def test_a_lexicon_gives_back_what_it_was_given(first, second):
    lexicon = Lexicon()
    for texts in (first, second):
        column = Coded.of(texts)
        assert lexicon.decode(lexicon.encode(column)).to_list() == texts
        assert lexicon.read_cells(*lexicon.cells(column)).to_list() == texts


def test_numbers_take_no_code_however_many_there_are():
    lexicon = Lexicon()
    _, kinds = lexicon.cells(Coded.of([str(number / 8) for number in range(1_000)]))
    assert (kinds != SPELLED).all()
    assert len(lexicon) == len(Lexicon())


@given(TEXTS)
def test_ranks_order_as_texts_do(texts):
    ranks = Coded.of(texts).ranks()
    keys = [(text is not None, text or "") for text in texts]
    assert np.argsort(ranks, kind="stable").tolist() == sorted(range(len(texts)), key=keys.__getitem__)
    assert all((one == other) == (keys[i] == keys[j]) for i, one in enumerate(ranks) for j, other in enumerate(ranks))


@given(TEXTS, TEXTS)
def test_columns_are_joined_and_taken_from(first, second):
    together = Coded.joined([Coded.of(first), Coded.of(second)])
    assert together.to_list() == [*first, *second]
    assert len(together) == len(first) + len(second)
    chosen = np.arange(len(together))[::-2]
    assert together.take(chosen).to_list() == [*first, *second][::-2]
