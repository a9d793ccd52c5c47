"""The laws by which `defaults` lie under each model."""

from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st

from mlvitals.config.defaults import merge

keys = st.sampled_from("abcd")
leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=3)
documents = st.dictionaries(
    keys, st.recursive(leaves, lambda inner: st.dictionaries(keys, inner, max_size=3)), max_size=4
)


def paths(document, before=()):
    """Every path to something that is no mapping, with its value."""
    for key, value in document.items():
        if isinstance(value, dict) and value:
            yield from paths(value, (*before, key))
        else:
            yield (*before, key), value


@given(documents)
def test_nothing_is_the_neutral_element(document):
    assert merge({}, document) == merge(document, {}) == document


@given(documents)
def test_merging_with_itself_changes_nothing(document):
    assert merge(document, document) == document


@given(documents, documents)
def test_whatever_a_model_says_holds(under, over):
    merged = merge(under, over)
    for path, value in paths(over):
        part = merged
        for key in path:
            part = part[key]
        if value != {}:  # an empty mapping says nothing: what is under it shows
            assert part == value


@given(documents, documents)
def test_nothing_comes_from_elsewhere(under, over):
    known = {path for document in (under, over) for path, _ in paths(document)}
    assert {path for path, _ in paths(merge(under, over))} <= known


@given(documents, documents)
def test_what_the_model_does_not_touch_is_the_default(under, over):
    merged = merge(under, over)
    assert {key: merged[key] for key in under.keys() - over.keys()} == {
        key: under[key] for key in under.keys() - over.keys()
    }


@given(documents, documents)
def test_merging_leaves_both_as_they_were(under, over):
    before = deepcopy((under, over))
    merge(under, over)
    assert (under, over) == before
