import numpy as np
import pyarrow as pa
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mlvitals import wire
from mlvitals.events import canonical_text, fingerprints

NAMES = ["features.a", "features.b", "prediction.score", "prediction.label"]
INTEGERS = st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3)
NUMBERS = INTEGERS | st.floats() | st.sampled_from([0.0, -0.0, 1.0, 2.0**60])
SCALARS = (
    st.none()
    | st.booleans()
    | NUMBERS
    | st.sampled_from(["", "1", "1.0", " 1", "01", "1_0", "true", "nan", "NaN", "x", "9007199254740993"])
    | st.text(max_size=3)
)
ROWS = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, SCALARS))


def batch_of(row):
    """A batch of one row, each column of the type of its value."""
    return pa.record_batch({wire.PREDICTION_ID: ["id"]} | {name: pa.array([value]) for name, value in row.items()})


def one(row):
    return int(fingerprints(batch_of(row), np.array([0]))[0])


def content(row):
    """What a row says: the canonical text of each value that it has."""
    spelled = {name: canonical_text(pa.array([value]), numerals=True)[0].as_py() for name, value in row.items()}
    return {name: text for name, text in spelled.items() if text is not None}


@given(ROWS, ROWS)
@example({"features.a": 2**53}, {"features.a": 2**53 + 1})
@example({"features.a": 2**53 + 1}, {"features.a": "9007199254740993"})
@example({"features.a": 2**60}, {"features.a": 2.0**60})
@example({"features.a": " 1"}, {"features.a": 1})
@example({"features.a": 1, "features.b": 2}, {"features.a": 2, "features.b": 1})
@example({"features.a": True}, {"features.a": "true"})
@example({"features.a": ""}, {"features.a": None})
@example({"features.a": float("nan")}, {"features.a": "nan"})
def test_rows_have_one_fingerprint_if_and_only_if_they_say_the_same(row, other):
    assert (one(row) == one(other)) == (content(row) == content(other))


@given(ROWS, st.sampled_from(NAMES), SCALARS)
def test_any_value_that_changes_changes_the_fingerprint(row, name, value):
    changed = row | {name: value}
    assume(content(changed) != content(row))
    assert one(changed) != one(row)


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_columns_does_not_matter(row, random):
    names = random.sample(sorted(row), len(row))
    assert one({name: row[name] for name in names}) == one(row)


@given(ROWS)
def test_an_absent_column_is_as_one_of_nulls(row):
    for kind in (pa.null(), pa.float64(), pa.string(), pa.dictionary(pa.int8(), pa.string())):
        batch = batch_of(row).append_column("features.c", pa.nulls(1, kind))
        assert int(fingerprints(batch, np.array([0]))[0]) == one(row)


@given(st.lists(st.none() | st.integers(-3, 2**60), min_size=1))
def test_the_type_of_a_column_of_integers_does_not_matter(values):
    rows = np.arange(len(values))
    plain = pa.array(values, pa.int64())
    expected = fingerprints(pa.record_batch({"features.a": plain}), rows)
    texts = plain.cast(pa.string())
    for array in (texts, texts.cast(pa.large_string()), texts.dictionary_encode(), plain.dictionary_encode()):
        assert np.array_equal(fingerprints(pa.record_batch({"features.a": array}), rows), expected)


def test_small_dictionaries_of_unsigned_codes_are_read():
    codes = pa.array([0, None, 1], pa.uint8())
    array = pa.DictionaryArray.from_arrays(codes, pa.array(["x", "y"]))
    plain = fingerprints(pa.record_batch({"features.a": pa.array(["x", None, "y"])}), np.arange(3))
    assert np.array_equal(fingerprints(pa.record_batch({"features.a": array}), np.arange(3)), plain)


def test_a_float_of_less_precision_is_another_value():
    wide, narrow = (pa.record_batch({"features.a": pa.array([0.1], kind)}) for kind in (pa.float64(), pa.float32()))
    assert fingerprints(wide, np.array([0])) != fingerprints(narrow, np.array([0]))


@given(st.lists(st.tuples(st.none() | st.floats(), st.none() | st.text(max_size=2)), min_size=1), st.data())
def test_other_rows_of_the_batch_do_not_matter(values, data):
    numeric, texts = (list(part) for part in zip(*values, strict=True))
    columns = {"features.a": pa.array(numeric, pa.float64()), "features.b": pa.array(texts, pa.string())}
    batch = pa.record_batch(columns)
    rows = np.array(data.draw(st.lists(st.integers(0, len(values) - 1))), dtype=np.intp)
    alone = [fingerprints(batch.slice(row, 1), np.array([0]))[0] for row in rows]
    assert fingerprints(batch, rows).tolist() == alone


def test_the_id_is_no_part_of_the_content_and_the_time_is():
    times = pa.array([0, 0, 1], pa.timestamp("us", tz="UTC"))
    batch = pa.record_batch({wire.PREDICTION_ID: pa.array(["a", "b", "a"]), wire.TIMESTAMP: times})
    first, second, third = fingerprints(batch, np.arange(3)).tolist()
    assert first == second != third


def test_fingerprints_never_change():
    """They are kept in the state: of a repeated event they must be what they were before an upgrade."""
    row = {"features.a": 1.5, "features.b": "x", "prediction.score": 2**53 + 1, "prediction.label": True}
    assert one(row) == -2117323785453159049
