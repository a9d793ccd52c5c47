"""Rows in few bytes, and read again to the bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mlvitals.errors import StateError
from mlvitals.windows.coded import Lexicon
from mlvitals.windows.remembered_rows import LABEL, PREDICTION, pack_rows, unpack_rows

LEXICON = Lexicon()
CODES = [LEXICON.code(text) for text in ("", "a", "b", "ü")]


@st.composite
def rows_of(draw, kind):
    rows = np.zeros(draw(st.integers(1, 30)), dtype=kind.columns)
    spelled = dict(kind.cells)
    for name in kind.columns.names:
        column = kind.columns[name]
        values = hnp.from_dtype(column)
        if column.kind == "i":  # differences of times fit into their type
            values = st.integers(-(2**61), 2**61) | st.integers(0, 300)
        if name in kind.texts:
            values = st.sampled_from([0, *CODES])
        if name in spelled.values() or name in {"uncounted", "vector"}:
            values = st.integers(0, 2)
        rows[name] = draw(st.lists(values, min_size=len(rows), max_size=len(rows)) | values)
    for cell, what in spelled.items():
        rows[cell][rows[what] == 0] = draw(st.sampled_from(CODES))
    return rows


@pytest.mark.parametrize("kind", [PREDICTION, LABEL], ids=lambda kind: kind.name)
@given(st.data())
def test_rows_come_back_to_the_bit(kind, data):
    rows = data.draw(rows_of(kind))
    packed = pack_rows(kind, rows, LEXICON)
    assert unpack_rows(kind, packed, LEXICON).tobytes() == rows.tobytes()
    # Another process has another lexicon.
    other = Lexicon()
    other.code("something else")
    again = unpack_rows(kind, packed, other)
    for name in kind.texts:
        assert other.decode(again[name]).to_list() == LEXICON.decode(rows[name]).to_list()


@pytest.mark.parametrize("kind", [PREDICTION, LABEL], ids=lambda kind: kind.name)
@given(st.data())
def test_rows_that_were_packed_before_a_column_was_added_are_read_with_nothing_in_it(kind, data):
    rows = data.draw(rows_of(kind))
    names = kind.columns.names[: kind.least]
    older = kind._replace(columns=np.dtype([(name, kind.columns[name]) for name in names]))
    found = unpack_rows(kind, pack_rows(older, rows[list(names)].astype(older.columns), LEXICON), LEXICON)
    assert all(found[name].tobytes() == rows[name].tobytes() for name in names)
    assert not any(found[name].any() for name in kind.columns.names[kind.least :])
    fewer = kind._replace(columns=np.dtype([(name, kind.columns[name]) for name in names[:-1]]), cells=())
    packed = pack_rows(fewer, rows[list(names[:-1])].astype(fewer.columns), LEXICON)
    with pytest.raises(StateError, match="columns, not"):
        unpack_rows(kind, packed, LEXICON)


def test_what_says_the_same_in_every_row_takes_no_room():
    rows = np.zeros(10_000, dtype=PREDICTION.columns)
    rows["head"] = rows["tail"] = np.arange(10_000, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    rows["start"] = rows["until"] = np.arange(10_000) // 1_000 * 3_600_000_000
    rows["time"] = rows["start"] + np.arange(10_000)
    assert len(pack_rows(PREDICTION, rows, LEXICON)) < 10_000 * (16 + 2 + 1 + 1)
