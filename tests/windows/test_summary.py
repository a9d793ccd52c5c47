from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mlvitals.windows.bins import NumericBins
from mlvitals.windows.exact_sum import CELLS, add_exact
from mlvitals.windows.layout import Layout, OutputLayout, Task
from mlvitals.windows.summary import Summary, pack, unpack

SEEDS = st.integers(0, 2**32)
CELLS_OF_ANY_SHAPE = arrays.arrays(
    np.int64,
    arrays.array_shapes(max_dims=2, max_side=40),
    elements=st.sampled_from([0, 0, 1, -1, 2**63 - 1, -(2**63)]) | st.integers(-(2**63), 2**63 - 1),
)


def bits(summary):
    return summary.served.tobytes(), summary.outcomes.tobytes()


@given(SEEDS, SEEDS, SEEDS)
def test_summaries_are_a_commutative_group(layout, fill, one, two, three):
    a, b, c = (fill(layout, seed) for seed in (one, two, three))
    zero = Summary.empty(layout, 2)
    assert bits((a + b) + c) == bits(a + (b + c))
    assert bits(a + b) == bits(b + a)
    assert bits(a + zero) == bits(a)
    assert bits(a - a) == bits(zero)
    assert bits((a + b) - b) == bits(a)


def test_adding_changes_neither(layout, fill):
    a, b = fill(layout, 1), fill(layout, 2)
    before = bits(a), bits(b)
    assert bits(a + b) not in before
    assert (bits(a), bits(b)) == before


def test_summaries_of_different_layouts_do_not_add(layout, fill):
    other = Layout(layout.features, layout.output, {})
    assert other.served_size == layout.served_size
    for operation in (Summary.__add__, Summary.__sub__):
        with pytest.raises(ValueError, match="summaries of different layouts do not add"):
            operation(fill(layout, 1), fill(other, 1))


def test_equal_layouts_add_even_if_they_are_two_objects(layout, fill):
    twin = Layout(layout.features, layout.output, dict(layout.segments))
    assert bits(fill(layout, 1) + fill(twin, 2)) == bits(fill(layout, 1) + fill(layout, 2))


@given(CELLS_OF_ANY_SHAPE)
def test_what_is_packed_is_unpacked(cells):
    again = unpack(pack(cells), cells.shape)
    assert again.dtype == np.int64
    assert np.array_equal(again, cells)
    assert pack(again) == pack(cells)


def test_packing_looks_at_values_not_at_memory():
    cells = np.arange(-6, 6).reshape(3, 4)
    assert pack(cells.copy(order="F")) == pack(cells)
    assert pack(np.repeat(cells, 2, axis=1)[:, ::2]) == pack(cells)


def test_an_empty_summary_takes_a_few_bytes(layout):
    empty = Summary.empty(layout, 3)
    assert len(pack(empty.served)) < 20
    assert not unpack(pack(empty.outcomes), empty.outcomes.shape).any()


def test_the_parts_of_a_summary_are_read_where_they_are_kept(layout):
    summary = Summary.empty(layout, 2)
    for name, part in layout.served_sections.items():
        summary.served[part] = np.arange(part.stop - part.start) + len(name)
    size, colour = layout.features
    assert (summary.predictions, summary.errors) == (len("predictions"), len("errors"))
    assert summary.histogram("latency")[0] == len("latency")
    assert summary.feature(size).counts.tolist() == [13, 14, 15, 16]
    assert summary.feature(size).specials.tolist() == [17, 18, 19]
    assert summary.feature(size).total == sum(range(13, 20))
    assert summary.feature(colour).specials.tolist() == [17, 18, 19]
    assert summary.score is not None
    assert summary.score.counts.tolist() == [5, 6, 7]
    assert summary.classes is not None
    assert summary.classes.counts.tolist() == [5, 6]


def test_a_maturity_knows_what_the_earlier_ones_knew(layout):
    summary = Summary.empty(layout, 3)
    summary.outcomes[:, layout.outcome_sections["labelled"]] = [[5], [2], [-1]]
    assert [summary.outcome(bucket).labelled for bucket in range(3)] == [5, 7, 6]


def test_an_outcome_reads_its_parts(layout):
    summary = Summary.empty(layout, 1)
    parts = layout.outcome_sections
    summary.outcomes[0, parts["confusion"]] = range(9)
    summary.outcomes[0, parts["positives"]] = range(6)
    summary.outcomes[0, parts["measured"]] = 2
    cells = np.zeros(CELLS, dtype=np.int64)
    add_exact(cells, np.zeros(2, dtype=np.intp), np.array([0.1, 0.2]), np.ones(2, dtype=np.int64))
    summary.outcomes[0, parts["brier"]] = cells
    summary.outcomes[0, parts["calibration"]] = range(8)
    outcome = summary.outcome(0)
    assert outcome.confusion.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert outcome.has("positives")
    assert outcome.positives.tolist() == [0, 1, 2]
    assert outcome.negatives.tolist() == [0, 0, 0]
    assert outcome.measured == 2
    assert outcome.total("brier") == 0.30000000000000004
    assert outcome.exact_total("brier") == Fraction(0.1) + Fraction(0.2)
    assert outcome.calibration.tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]


def test_a_layout_without_scores_or_classes_has_no_counts_of_them():
    summary = Summary.empty(Layout((), OutputLayout(Task.REGRESSION)), 1)
    assert summary.score is None
    assert summary.classes is None
    assert not summary.outcome(0).has("positives")
    scored = Summary.empty(Layout((), OutputLayout(Task.REGRESSION, score=NumericBins((1.0,)))))
    assert scored.score is not None
    assert scored.outcomes.shape == (0, scored.layout.outcome_size)
