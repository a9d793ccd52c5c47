import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.windows.categories import CategoryCoder, Coders
from mlvitals.windows.layout import CategoryBins

WORDS = [f"w{n:03}" for n in range(400)]
CLOSED = CategoryBins(values=tuple(WORDS[:300:3]), own=40)
OPEN = CategoryBins(values=CLOSED.values, own=40, closed=False)


def expect(bins, text):
    if text is None:
        return bins.own
    if text in bins.values:
        return min(bins.values.index(text), bins.own + 1) if bins.values.index(text) < bins.own else bins.own + 1
    return bins.own + (2 if bins.closed else 1)


@st.composite
def arrays(draw):
    """Dictionaries that grow, shrink and change, as files hand them out one after the other."""
    words = draw(st.sampled_from([WORDS, WORDS[::-1]]))[: draw(st.sampled_from([1, 3, 257, 300, 400]))]
    codes = draw(st.lists(st.none() | st.integers(0, len(words) - 1), max_size=20))
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(words))


@given(st.lists(arrays(), min_size=1, max_size=6), st.sampled_from([CLOSED, OPEN]))
def test_a_coder_that_remembers_codes_as_one_that_does_not(batches, bins):
    coder = CategoryCoder(bins)
    for array in batches:
        codes = coder.codes(array).tolist()
        assert codes == CategoryCoder(bins).codes(array).tolist()
        assert codes == [expect(bins, text) for text in array.to_pylist()]


@pytest.mark.parametrize(
    "array",
    [
        pa.array(["1", "x", None, "1"]),
        pa.array(["1", "x", None, "1"]).dictionary_encode(),
        pa.array(["1", "x", None, "1"]).dictionary_encode(null_encoding="encode"),
        pa.array(["1", "x", None, "1"], pa.large_string()),
        pa.array([1, 2, None, 1]),
        pa.array([1.0, 2.5, None, 1.0]),
        pa.array([True, False, None, True]),
    ],
)
def test_a_value_is_coded_alike_whatever_its_column_is(array):
    assert CategoryCoder(CategoryBins(("1",), own=1)).codes(array).tolist() == [0, 3, 1, 0]


def test_a_dictionary_as_large_as_its_codes_can_say_may_hold_nulls():
    words = [f"{n}" for n in range(128)]
    array = pa.DictionaryArray.from_arrays(pa.array([127, None], pa.int8()), pa.array(words))
    assert CategoryCoder(CategoryBins(("127",), own=1)).codes(array).tolist() == [0, 1]


def test_a_vector_is_an_unseen_category():
    assert CategoryCoder(CategoryBins(("1",), own=1)).codes(pa.array([[1.0], None])).tolist() == [3, 1]


def test_a_known_but_rare_value_is_other():
    assert CategoryCoder(CategoryBins(("a", "b"), own=1)).codes(pa.array(["a", "b", "c"])).tolist() == [0, 2, 3]


def test_numerals_are_rewritten_only_on_demand():
    array = pa.array(["1.0", "true"])
    assert CategoryCoder(CategoryBins(("1",), own=1)).codes(array).tolist() == [3, 3]
    assert CategoryCoder(CategoryBins(("1",), own=1)).codes(array, numerals=True).tolist() == [0, 0]


def test_a_column_has_one_coder_under_each_layout():
    coders = Coders()
    assert coders.coder("a", CLOSED) is coders.coder("a", CLOSED)
    assert coders.coder("a", CLOSED) is not coders.coder("b", CLOSED)
    assert coders.coder("a", CLOSED) is not coders.coder("a", OPEN)
