"""Probabilities of classes: what they say by themselves, and what is remembered of them until the truth is known."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.events import numbers
from mlvitals.windows.bins import CategoryBins
from mlvitals.windows.layout import OutputLayout, Task
from mlvitals.windows.probabilities import (
    class_columns,
    complete_outputs,
    pack_probabilities,
    predict,
    unpack_probabilities,
)

CLASSES = ("cat", "dog", "owl")
MANY = OutputLayout(Task.MULTICLASS, classes=CategoryBins(CLASSES, own=3), distribution=True)
TWO = OutputLayout(Task.BINARY, positive="yes", distribution=True)


def batch_of(rows, **more):
    """Return a batch of rows, each a mapping of classes to probabilities."""
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {f"prediction.probabilities.{name}": [row.get(name) for row in rows] for name in names}
    arrays = {name: pa.array(values, pa.float64()) for name, values in columns.items()} | more
    return pa.RecordBatch.from_pydict(arrays)


def remembered(rows, true, output=MANY):
    """Return what is remembered of rows, read for the class that came true."""
    packed = pack_probabilities(batch_of(rows), output, np.arange(len(rows)))
    places = np.array([output.classes.values.index(one) for one in true], dtype=np.intp)
    return unpack_probabilities(packed, output, places)


def test_classes_are_spelt_as_labels_are():
    batch = batch_of([{"1.0": 0.5, r"a\.b": 0.25, "true": 0.25}])
    assert [name for name, _ in class_columns(batch)] == ["1", "1", "a.b"]


def test_the_class_of_the_largest_probability_is_predicted_and_of_equal_ones_the_first_of_the_layout():
    rows = [{"owl": 0.5, "cat": 0.2, "dog": 0.3}, {"owl": 0.5, "dog": 0.5}, {"fox": 0.5, "bee": 0.5}, {"cat": None}]
    labels, largest = predict(batch_of(rows), CLASSES)
    assert labels.to_pylist() == ["owl", "dog", "bee", None]
    np.testing.assert_array_equal(largest, [0.5, 0.5, 0.5, np.nan])


def test_what_is_logged_wins_over_what_probabilities_say():
    rows = [{"cat": 0.9, "dog": 0.1}] * 3
    logged = {"prediction.label": pa.array([None, "dog", "1.0"]), "prediction.score": pa.array([None, 0.4, None])}
    done = complete_outputs(batch_of(rows, **logged), MANY)
    assert done.column("prediction.label").to_pylist() == ["cat", "dog", "1"]
    assert done.column("prediction.score").to_pylist() == [0.9, 0.4, 0.9]


def test_a_binary_score_is_the_probability_of_the_positive_class():
    done = complete_outputs(batch_of([{"yes": 0.25, "no": 0.75}, {"no": 0.5}]), TWO)
    assert done.column("prediction.score").to_pylist() == [0.25, None]
    assert "prediction.label" not in done.schema.names, "that is for the threshold to say"


def test_a_model_whose_reference_logs_no_probabilities_is_left_as_it_is():
    batch = batch_of([{"cat": 1.0}])
    silent = OutputLayout(Task.MULTICLASS, classes=CategoryBins(CLASSES, own=3))
    assert complete_outputs(batch, silent) is batch
    assert list(pack_probabilities(batch, silent, np.arange(1))) == [None]


@given(st.integers(0, 2**32), st.integers(1, 6), st.booleans())
def test_what_is_remembered_is_within_one_part_in_two_to_the_24th(seed, rows, sparse):
    random = np.random.default_rng(seed)
    shares = random.dirichlet(np.full(3, 0.05 if sparse else 2.0), rows)
    true = random.integers(0, 3, rows)
    vectors = remembered(
        [dict(zip(CLASSES, row.tolist(), strict=True)) for row in shares], [CLASSES[place] for place in true]
    )
    assert vectors.usable.all()
    assert not vectors.improper.any()
    usual = shares[np.arange(rows), true]
    np.testing.assert_allclose(vectors.chances, usual, rtol=2**-24, atol=1e-44)
    np.testing.assert_allclose(vectors.squares, (shares**2).sum(axis=1), rtol=2**-23)


def test_classes_that_the_layout_does_not_know_count_among_the_squares():
    vectors = remembered([{"cat": 0.5, "fox": 0.25, "elk": 0.25}], ["cat"])
    assert (vectors.chances.tolist(), vectors.squares.tolist()) == ([0.5], [0.375])


def test_a_class_that_is_not_logged_has_no_chance():
    assert remembered([{"cat": 1.0}], ["owl"]).chances.tolist() == [0.0]


@pytest.mark.parametrize(
    ("row", "proper"),
    [
        ({"cat": 0.33, "dog": 0.33, "owl": 0.33}, True),  # rounded
        ({"cat": 0.495, "dog": 0.495}, True),
        ({"cat": 0.494, "dog": 0.495}, False),
        ({"cat": 0.6, "dog": 0.3}, False),  # the most likely ones only
        ({"cat": 1.5, "dog": -0.5}, False),
        ({"cat": 0.7, "dog": float("inf")}, False),
        ({"cat": 0.0}, False),
        ({f"c{index}": 0.0106 for index in range(100)}, False),  # however many there are
    ],
)
def test_what_does_not_sum_to_one_is_no_distribution(row, proper):
    vectors = remembered([row], ["cat"])
    assert (vectors.usable.tolist(), vectors.improper.tolist()) == ([proper], [not proper])


def test_a_row_without_probabilities_says_nothing():
    vectors = remembered([{"cat": None, "dog": float("nan")}, {"cat": 1.0}], ["cat", "cat"])
    assert (vectors.usable.tolist(), vectors.improper.tolist()) == ([False, True], [False, False])


def test_what_another_layout_remembered_is_not_mistaken():
    other = OutputLayout(Task.MULTICLASS, classes=CategoryBins(("dog", "cat", "owl"), own=3), distribution=True)
    packed = pack_probabilities(batch_of([{"cat": 1.0}]), other, np.arange(1))
    vectors = unpack_probabilities(packed, MANY, np.zeros(1, dtype=np.intp))
    assert (vectors.usable.tolist(), vectors.improper.tolist()) == ([False], [False])


@given(st.permutations(["cat", "dog", "owl", "fox", "1", "1.0"]), st.integers(0, 2**32))
def test_the_order_of_columns_and_the_company_of_rows_do_not_matter(order, seed):
    shares = np.random.default_rng(seed).dirichlet(np.ones(6))
    row = dict(zip(sorted(order), shares.tolist(), strict=True))
    alone = pack_probabilities(batch_of([row]), MANY, np.arange(1))
    turned = {name: row[name] for name in order}
    beside = pack_probabilities(batch_of([{"bee": 1.0}, turned]), MANY, np.array([1]))
    assert list(alone) == list(beside)


def test_many_rows_are_packed_as_each_is():
    rows = [{"cat": index / 10_000, "dog": 1 - index / 10_000} for index in range(10_000)]
    batch = batch_of(rows)
    chosen = np.arange(9_999, -1, -3)
    packed = pack_probabilities(batch, MANY, chosen)
    assert len(packed) == len(chosen)
    vectors = unpack_probabilities(packed, MANY, np.zeros(len(chosen), dtype=np.intp))
    cats = numbers(batch.column("prediction.probabilities.cat")).values[chosen]
    np.testing.assert_allclose(vectors.chances, cats, rtol=2**-24)
