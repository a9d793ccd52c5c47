import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.windows.bins import TRUTHS, UNKNOWN_VALUES, CategoryBins
from mlvitals.windows.categories import CategoryCoder, Coders, class_text, truth_text

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
    assert CategoryCoder(CategoryBins(("1",), own=1), class_text).codes(array).tolist() == [0, 0]


def test_a_column_has_one_coder_under_each_layout():
    coders = Coders()
    assert coders.coder("a", CLOSED, class_text) is coders.coder("a", CLOSED, class_text)
    assert coders.coder("a", CLOSED, class_text) is not coders.coder("b", CLOSED, class_text)
    assert coders.coder("a", CLOSED, class_text) is not coders.coder("a", OPEN, class_text)


@pytest.mark.parametrize(
    "array",
    [
        pa.array([True, False, None, True]),
        pa.array([1, 0, None, 1]),
        pa.array([1.0, 0.0, None, 1.0]),
        pa.array(["true", "FALSE", None, "1.0"]),
        pa.array(["Yes", "no", None, "Yes"]).dictionary_encode(),
        pa.array(["t", "off", None, "on"], pa.large_string()),
    ],
)
def test_a_truth_value_is_one_however_it_is_spelt(array):
    assert CategoryCoder(TRUTHS, truth_text).codes(array).tolist() == [1, 0, 2, 1]


def test_what_is_no_truth_value_is_unseen():
    assert CategoryCoder(TRUTHS, truth_text).codes(pa.array(["maybe", "", "2"])).tolist() == [4, 4, 4]


@pytest.mark.parametrize(
    "array",
    [
        pa.array(["x", None]),
        pa.array(["x", None]).dictionary_encode(),
        pa.array(["x", None]).dictionary_encode(null_encoding="encode"),
        pa.array([[1.0], None]),
        pa.array([7, None]),
    ],
)
def test_where_no_value_is_known_only_its_presence_counts(array):
    assert CategoryCoder(UNKNOWN_VALUES).codes(array).tolist() == [1, 0]
    assert CategoryCoder(CategoryBins((), own=0)).codes(array).tolist() == [2, 0]
