"""Flattened names are told apart, and taken apart again."""

from hypothesis import given
from hypothesis import strategies as st

from mlvitals.events.names import flatten, levels_of

LEVELS = st.lists(st.text(alphabet="ab.\\", max_size=4), min_size=1, max_size=4)


def test_a_literal_dot_is_escaped():
    assert flatten(["a", "b"]) == "a.b"
    assert flatten(["a.b"]) == r"a\.b"
    assert flatten(["a\\", "b"]) == r"a\\.b"


@given(levels=LEVELS)
def test_levels_survive_flattening(levels):
    assert levels_of(flatten(levels)) == levels
