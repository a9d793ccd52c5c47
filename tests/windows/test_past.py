"""What was served outlives its cohort."""

import numpy as np
import pytest

from mlvitals.state import Store
from mlvitals.windows import past
from mlvitals.windows.cohorts import CohortKey, Cohorts
from mlvitals.windows.past import read_served
from mlvitals.windows.tables import MIGRATIONS


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "state.db", [MIGRATIONS]) as store:
        yield store


@pytest.fixture
def cohorts(store, layout):
    made = Cohorts(store.connection, "m", (5,))
    for start in range(0, 50, 10):
        for segment, times in (("", 2), ("country=CH", 1)):
            served = np.full(layout.served_size, start + times, dtype=np.int64)
            made.add_served(CohortKey(start, "v1", segment), start + 10, layout, served)
    made.flush()
    return made


def served(store, start):
    found = read_served(store.connection, "m", "v1", start)
    return None if found is None else int(found.served[0])


def test_what_was_served_is_read_alike_before_and_after_its_cohort_is_forgotten(store, cohorts):
    before = [served(store, start) for start in range(0, 50, 10)]
    cohorts.forget(30)
    assert cohorts.get(CohortKey(20, "v1", "")) is None
    assert [served(store, start) for start in range(0, 50, 10)] == before == [2, 12, 22, 32, 42]


def test_of_another_version_model_or_window_nothing_is_told(store, cohorts):
    cohorts.forget(30)
    assert read_served(store.connection, "m", "v2", 0) is None
    assert read_served(store.connection, "other", "v1", 0) is None
    assert served(store, 50) is None


def test_only_the_newest_stay(store, cohorts, monkeypatch):
    monkeypatch.setattr(past, "PAST_COHORTS", 2)
    cohorts.forget(30)
    cohorts.forget(40)
    assert [served(store, start) for start in range(0, 50, 10)] == [None, None, 22, 32, 42]
    assert store.connection.execute("SELECT count(*) FROM past").fetchone() == (2,)
