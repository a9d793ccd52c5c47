import math
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlvitals.events import canonical_text, column, numbers
from mlvitals.events.canonical import canonical_numeral, is_number

NUMERALS = ["1", "+1", "-2.50", ".5", "3.", "1e3", "1E-2", "007", "1e400", "1e-400", "-0"]
WORDS = ["nan", "NaN", "-inf", "Infinity", "INF", "+nan"]
NO_NUMBERS = ["", " ", " 1", "1 ", "1_000", "0x10", "1,5", "nan(1)", "infinit", "\u0661", "true", "1.2.3", "e5", "+"]
TEXTS = st.sampled_from([*NUMERALS, *WORDS, *NO_NUMBERS]) | st.text(max_size=4)


def texts(values, kind=None, *, numerals=True):
    return canonical_text(pa.array(values, kind), numerals=numerals).cast(pa.string()).to_pylist()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 0, None], pa.int64()),
        ([1, 0, None], pa.uint8()),
        ([1.0, -0.0, None], pa.float64()),
        ([1.0, 0.0, None], pa.float32()),
        ([True, False, None], pa.bool_()),
        ([Decimal("1.0"), Decimal(0), None], pa.decimal128(4, 1)),
        (["1", "0", None], pa.string()),
        (["1.0", "0.0", None], pa.large_string()),
        (["true", "False", None], pa.string()),
        (["+1", "-0", None], pa.string()),
        (["1e0", ".0", None], pa.dictionary(pa.int8(), pa.string())),
    ],
)
def test_one_is_one_however_it_was_typed(values, kind):
    assert texts(values, kind) == ["1", "0", None]


def test_a_category_is_rewritten_only_where_its_type_is_a_number():
    assert texts(["1.0", "true", "01234"], numerals=False) == ["1.0", "true", "01234"]
    assert texts([1.0, 2.5], numerals=False) == ["1", "2.5"]
    assert texts([True], numerals=False) == ["1"]


def test_digits_behind_a_leading_zero_are_a_name():
    assert texts(["01234", "00", "-01", "00.5"]) == ["01234", "00", "-01", "00.5"]
    assert texts(["0", "0.50", "-0.5", "1e05"]) == ["0", "0.5", "-0.5", "100000"]


def test_wide_integers_keep_every_digit():
    wide = [2**53, 2**53 + 1, 2**63 - 1, -(2**63)]
    assert texts(wide, pa.int64()) == [str(one) for one in wide]
    assert texts([str(one) for one in wide]) == [str(one) for one in wide]
    assert texts([2**64 - 1], pa.uint64()) == texts(["18446744073709551615"]) == ["18446744073709551615"]


@given(st.integers(-(2**63), 2**64 - 1) | st.integers(-1_000, 1_000))
def test_an_integer_and_its_numeral_are_equal(number):
    kind = pa.int64() if number < 2**63 else pa.uint64()
    assert texts([number], kind) == texts([str(number)]) == [str(number)]


@given(st.floats(allow_nan=False))
@example(2.0**60)
@example(2.0**63)
@example(-(2.0**64))
@example(1e300)
@example(5e-324)
def test_a_double_and_its_numeral_are_equal(number):
    assert texts([number]) == texts([repr(number)])
    assert float(texts([number])[0]) == number


@given(st.lists(st.floats() | st.none() | st.integers(-5, 5).map(float)))
def test_a_number_is_spelled_alike_whatever_stands_beside_it(values):
    alone = [texts([value], pa.float64())[0] for value in values]
    assert texts(values, pa.float64()) == alone


@given(TEXTS)
def test_canonical_text_stays_as_it_is(text):
    spelled = canonical_numeral(text)
    assert canonical_numeral(spelled) == spelled


def test_a_numeral_of_thousands_of_digits_is_no_accident():
    assert texts(["9" * 5_000]) == ["inf"]


@given(TEXTS)
def test_what_is_called_a_number_reads_as_one(text):
    spelled = canonical_numeral(text)
    if is_number(spelled):
        assert isinstance(float(spelled), float)
    assert is_number("nan")
    assert not is_number("01234")


def test_other_types_are_their_text():
    assert texts([[1, 2], None], pa.list_(pa.int64())) == ["[1, 2]", None]
    assert texts([{"a": 1}], pa.struct([("a", pa.int64())])) == ["{'a': 1}"]


def test_numerals_in_text_are_numbers_and_other_text_is_invalid():
    read = numbers(pa.array([*NUMERALS, *NO_NUMBERS, None]))
    assert read.values[: len(NUMERALS)].tolist() == [float(text) for text in NUMERALS]
    assert np.isnan(read.values[len(NUMERALS) :]).all()
    assert read.missing is not None
    assert read.missing.tolist() == [False] * (len(NUMERALS) + len(NO_NUMBERS)) + [True]
    assert read.invalid is not None
    assert read.invalid.tolist() == [False] * len(NUMERALS) + [True] * len(NO_NUMBERS) + [False]


@given(st.lists(st.none() | TEXTS, min_size=1))
def test_a_text_means_the_same_whatever_stands_beside_it(values):
    together = numbers(pa.array(values, pa.string()))
    for place, value in enumerate(values):
        alone = numbers(pa.array([value], pa.string()))
        for one, other in ((alone.missing, together.missing), (alone.invalid, together.invalid)):
            assert (one is not None and bool(one[0])) == (other is not None and bool(other[place]))
        assert np.array_equal(alone.values, together.values[place : place + 1], equal_nan=True)


@given(st.lists(st.none() | TEXTS, min_size=1))
def test_a_dictionary_reads_as_the_column_that_it_stands_for(values):
    plain = numbers(pa.array(values, pa.string()))
    encoded = numbers(pa.array(values, pa.string()).dictionary_encode())
    inside = numbers(pa.array(values, pa.string()).dictionary_encode(null_encoding="encode"))
    for read in (encoded, inside):
        assert np.array_equal(read.values, plain.values, equal_nan=True)
        for one, other in ((read.missing, plain.missing), (read.invalid, plain.invalid)):
            none = np.zeros(len(values), dtype=bool)
            assert np.array_equal(none if one is None else one, none if other is None else other)


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint64(), pa.float32(), pa.float64(), pa.decimal128(25, 2)])
def test_columns_of_numbers_read_as_doubles(kind):
    read = numbers(pa.array([1, 2, None], pa.int64()).cast(kind))
    assert np.array_equal(read.values, [1.0, 2.0, math.nan], equal_nan=True)
    assert read.missing is not None
    assert read.missing.tolist() == [False, False, True]
    assert read.invalid is None


def test_a_nan_is_neither_missing_nor_invalid():
    for array in (pa.array([math.nan, 1.0]), pa.array(["NaN", "1"])):
        read = numbers(array)
        assert read.missing is None
        assert read.invalid is None or not read.invalid.any()
        assert math.isnan(read.values[0])


def test_truth_values_are_one_and_zero():
    assert numbers(pa.array([True, False])).values.tolist() == [1.0, 0.0]


def test_a_vector_is_no_number():
    read = numbers(pa.array([[1.0], None]))
    assert np.isnan(read.values).all()
    assert read.missing is not None
    assert read.invalid is not None
    assert (read.missing.tolist(), read.invalid.tolist()) == ([False, True], [True, False])


@pytest.mark.parametrize("kind", [pa.string(), pa.dictionary(pa.int32(), pa.string()), pa.float64()])
def test_a_column_without_rows_reads_as_none(kind):
    assert len(numbers(pa.array([], kind)).values) == 0
    assert len(canonical_text(pa.array([], kind), numerals=True)) == 0


def test_a_column_of_nothing_is_as_good_as_absent():
    batch = pa.record_batch({"a": pa.array([1, 2]), "b": pa.nulls(2)})
    assert column(batch, "a") is not None
    assert column(batch, "b") is None
    assert column(batch, "c") is None
