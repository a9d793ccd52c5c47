"""Rows found by their ids, wherever they are kept."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.windows import runs as runs_module
from mlvitals.windows.remembered_rows import LABEL
from mlvitals.windows.runs import Runs

ROW = st.tuples(st.integers(0, 9), st.integers(0, 2), st.integers(0, 50))
BATCHES = st.lists(st.lists(ROW, max_size=9), max_size=30)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Files and several pieces already for a few rows."""
    monkeypatch.setattr(runs_module, "_IN_MEMORY", 12)
    monkeypatch.setattr(runs_module, "_AT_ONCE", 5)


def rows_of(batch):
    rows = np.zeros(len(batch), dtype=LABEL.columns)
    for place, (head, tail, until) in enumerate(batch):
        rows[place]["head"], rows[place]["tail"], rows[place]["until"] = head << 60, tail, until
    return rows


@pytest.mark.parametrize("folder", [None, Path("/there/is/no/such/folder")])
@given(batches=BATCHES, before=st.integers(0, 50))
def test_all_rows_of_an_id_are_found_but_the_forgotten(folder, batches, before):
    runs = Runs(LABEL.columns, folder)
    half = len(batches) // 2
    for batch in batches[:half]:
        runs.add(rows_of(batch))
    runs.forget(before)
    for batch in batches[half:]:
        runs.add(rows_of(batch))
    left = sorted(row for batch in batches for row in batch if row[2] >= before)
    asked = [(head, tail) for head in range(10) for tail in range(3)]
    heads, tails = (np.array(column, dtype=np.uint64) for column in zip(*asked, strict=True))
    found = runs.find(heads << np.uint64(60), tails)
    assert sorted((*asked[place], row["until"]) for place, row in zip(found.places, found.rows, strict=True)) == left
    assert sorted((row["head"] >> 60, row["tail"], row["until"]) for row in runs.all()) == left


def test_large_runs_are_in_files_of_the_states_folder_that_have_no_name(tmp_path, monkeypatch):
    places = []

    def recorded(*, dir, make=tempfile.TemporaryFile):  # noqa: A002  # its name
        places.append(dir)
        return make(dir=dir)

    monkeypatch.setattr(tempfile, "TemporaryFile", recorded)
    runs = Runs(LABEL.columns, tmp_path)
    for head in range(16):
        runs.add(rows_of([(head % 10, 0, head), (head % 10, 1, head)]))
    assert set(places) == {tmp_path}
    assert list(tmp_path.iterdir()) == []
