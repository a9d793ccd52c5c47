import numpy as np
import pytest

from mlvitals.errors import StateError
from mlvitals.state import Migrations, Store
from mlvitals.windows import cohorts as cohorts_module
from mlvitals.windows import kept_layouts
from mlvitals.windows.bins import NumericBins
from mlvitals.windows.cohorts import CohortKey, Cohorts
from mlvitals.windows.layout import Layout, OutputLayout, Task
from mlvitals.windows.layout_codec import encode_layout
from mlvitals.windows.past import read_served
from mlvitals.windows.summary import pack
from mlvitals.windows.tables import MIGRATIONS

KEY = CohortKey(0, "v1", "")
AGES = (5, 20)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.db"


@pytest.fixture
def small():
    return Layout((), OutputLayout(Task.REGRESSION, score=NumericBins((1.0,))))


@pytest.fixture
def store(path):
    with Store.open(path, [MIGRATIONS]) as store:
        yield store


@pytest.fixture
def cohorts(store):
    return Cohorts(store.connection, "m", AGES)


def ones(layout, times=1):
    return np.full(layout.served_size, times, dtype=np.int64)


def outcomes(layout, times=1):
    return np.full((2, layout.outcome_size), times, dtype=np.int64)


def test_what_is_flushed_is_there_after_reopening(path, layout, small):
    with Store.open(path, [MIGRATIONS]) as store, store.transaction() as connection:
        kept = Cohorts(connection, "m", AGES)
        kept.add_served(KEY, 10, layout, ones(layout))
        kept.add_served(KEY, 10, layout, ones(layout, 2))
        kept.add_outcomes(KEY, outcomes(layout))
        kept.add_served(CohortKey(-10, "v2", "country=CH"), 0, small, ones(small))
        kept.flush()
    with Store.open(path, [MIGRATIONS]) as store:
        again = Cohorts(store.connection, "m", AGES)
        cohort = again.get(KEY)
        assert cohort is not None
        assert (cohort.key, cohort.end, cohort.closed, cohort.changed) == (KEY, 10, False, True)
        assert cohort.summary.layout == layout
        assert (cohort.summary.served == 3).all()
        assert (cohort.summary.outcomes == 1).all()
        other = again.get(CohortKey(-10, "v2", "country=CH"))
        assert other is not None
        assert other.summary.layout == small
        again.add_served(KEY, 10, small, ones(layout))  # it goes on under the layout that it began with
        again.flush()
        last = Cohorts(store.connection, "m", AGES).get(KEY)
        assert last is not None
        assert (last.summary.served == 4).all()


def test_what_is_not_flushed_is_as_if_it_had_not_been(store, cohorts, layout):
    cohorts.add_served(KEY, 10, layout, ones(layout))
    assert Cohorts(store.connection, "m", AGES).get(KEY) is None


def test_a_transaction_that_fails_leaves_the_cohorts_as_they_were(store, layout):
    def fail():
        with store.transaction() as connection:
            doomed = Cohorts(connection, "m", AGES)
            doomed.add_served(KEY, 10, layout, ones(layout))
            doomed.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert Cohorts(store.connection, "m", AGES).get(KEY) is None
    assert store.connection.execute("SELECT count(*) FROM layout").fetchone() == (0,)


def test_models_do_not_meet(store, cohorts, layout):
    cohorts.add_served(KEY, 10, layout, ones(layout))
    cohorts.flush()
    assert Cohorts(store.connection, "other", AGES).get(KEY) is None
    assert Cohorts(store.connection, "other", AGES).due_to_close(99) == []


def test_cohorts_past_the_bound_leave_memory_and_come_back(cohorts, small, monkeypatch):
    cells = small.served_size + len(AGES) * small.outcome_size
    monkeypatch.setattr(cohorts_module, "_CELLS_IN_MEMORY", 4 * cells - 1)
    keys = [CohortKey(start, "v1", "") for start in range(10)]
    for times in (1, 2):
        for key in keys:
            cohorts.add_served(key, key.start + 1, small, ones(small, times))
        cohorts.flush()
        assert len(cohorts._loaded) == 3
    assert [int(cohorts.get(key).summary.served[0]) for key in keys] == [3] * 10


def test_a_cohort_that_left_memory_may_still_be_marked(store, cohorts, small, monkeypatch):
    monkeypatch.setattr(cohorts_module, "_CELLS_IN_MEMORY", 0)
    cohorts.add_served(KEY, 10, small, ones(small))
    cohort = cohorts.get(KEY)
    cohorts.flush()
    cohort.closed = True
    cohorts.mark(cohort)
    cohorts.flush()
    again = Cohorts(store.connection, "m", AGES).get(KEY)
    assert again is not None
    assert again.closed


def test_open_cohorts_are_due_in_order_from_their_end_on(cohorts, small):
    keys = [CohortKey(start, version, segment) for start in (10, -10, 0) for version in "ba" for segment in ("s=1", "")]
    for key in keys:
        cohorts.add_served(key, key.start + 10, small, ones(small))
    assert cohorts.next_due() == (0, None)
    assert cohorts.due_to_close(-1) == []
    assert cohorts.due_to_close(10) == sorted(key for key in keys if key.start <= 0)
    closed = cohorts.get(CohortKey(-10, "a", ""))
    closed.closed = True
    cohorts.mark(closed)
    assert cohorts.due_to_close(0) == sorted(key for key in keys if key.start == -10)[1:]
    assert cohorts.next_due() == (0, 5)


def test_a_closed_cohort_is_due_at_each_maturity_and_whenever_labels_have_come(cohorts, small):
    cohorts.add_served(KEY, 10, small, ones(small))
    cohort = cohorts.get(KEY)
    cohort.closed = True
    cohorts.mark(cohort)
    assert cohorts.due_to_settle(14) == []
    assert cohorts.due_to_settle(15) == [KEY]
    cohort.settled = 1
    cohorts.mark(cohort)
    assert cohorts.next_due() == (None, 30)
    cohorts.add_outcomes(KEY, outcomes(small))
    assert cohorts.next_due() == (None, 15)
    cohort.changed, cohort.settled = False, 2
    cohorts.mark(cohort)
    assert cohorts.next_due() == (None, None)
    assert cohorts.due_to_settle(10**9) == []


def test_labels_of_a_cohort_that_is_not_there_are_a_bug(cohorts, small):
    with pytest.raises(KeyError):
        cohorts.add_outcomes(KEY, outcomes(small))


def test_what_was_said_of_a_cohort_is_remembered_with_its_revision(store, cohorts):
    cohorts.record_settlement(KEY, "1d", "one", 0)
    cohorts.record_settlement(KEY, "7d", "two", 0)
    cohorts.record_settlement(KEY, "1d", "three", 1)
    again = Cohorts(store.connection, "m", AGES)
    assert again.settlements(KEY) == {"1d": ("three", 1), "7d": ("two", 0)}
    assert again.settlements(KEY._replace(version="v2")) == {}
    assert Cohorts(store.connection, "other", AGES).settlements(KEY) == {}


def test_forgotten_windows_take_all_their_cohorts_and_settlements(store, cohorts, small):
    other, last = CohortKey(0, "v2", "country=CH"), CohortKey(10, "v1", "")
    for key in (KEY, other, last):
        cohorts.add_served(key, key.start + 10, small, ones(small))
        cohorts.record_settlement(key, "1d", "said", 0)
    cohorts.forget(10)
    for key in (KEY, other):
        assert cohorts.get(key) is None
        assert cohorts.settlements(key) == {}
    assert cohorts.get(last) is not None
    assert cohorts.settlements(last) == {"1d": ("said", 0)}
    assert store.connection.execute("SELECT start FROM cohort").fetchall() == [(10,)]


class Elsewhere(Layout):
    """The same document, read by a program that counts one thing more in front of all others."""

    @property
    def served_sections(self):
        moved = {name: slice(place.start + 1, place.stop + 1) for name, place in super().served_sections.items()}
        return {"more": slice(0, 1), **moved}


def test_windows_that_another_program_counted_otherwise_are_refused_by_name(store, cohorts, small, monkeypatch):
    monkeypatch.setattr(kept_layouts, "decode_layout", lambda _: Elsewhere(small.features, small.output))
    cohorts.add_served(KEY, 10, small, ones(small))
    cohorts.flush()
    later = Cohorts(store.connection, "m", AGES)
    for misread in (
        lambda: later.get(KEY),
        lambda: read_served(store.connection, "m", "v1", 0),
        lambda: add_under(later, Elsewhere(small.features, small.output)),
    ):
        with pytest.raises(
            StateError, match=f"the layout {small.hash} by another mlvitals, whose counts stand elsewhere"
        ):
            misread()


def add_under(cohorts, layout):
    cohorts.add_served(CohortKey(60, "v1", ""), 70, layout, ones(layout))
    cohorts.flush()


def test_a_state_of_before_places_were_kept_is_refused_and_not_guessed_at(path, small):
    before = Migrations(owner="windows", steps=MIGRATIONS.steps[:4])
    with Store.open(path, [before]) as store, store.transaction() as connection:
        connection.execute("INSERT INTO layout VALUES (?, ?)", (small.hash, encode_layout(small)))
        connection.execute(
            "INSERT INTO cohort (model, start, version, segment, end, layout, served, outcomes) "
            "VALUES ('m', 0, 'v1', '', 10, ?, ?, ?)",
            (small.hash, pack(ones(small)), pack(outcomes(small))),
        )
    with Store.open(path, [MIGRATIONS]) as store, pytest.raises(StateError, match="by another mlvitals"):
        Cohorts(store.connection, "m", AGES).get(KEY)


def test_a_cohort_is_due_at_every_checkpoint_once_and_at_maturities_whenever_labels_come(store, layout):
    with store.transaction() as connection:
        cohorts = Cohorts(connection, "m", AGES, checkpoints=(1, 2))
        cohorts.add_served(KEY, 10, layout, ones(layout))
        cohort = cohorts.get(KEY)
        assert cohort is not None
        due = []
        cohort.closed = True
        for settled, changed in ((0, False), (1, False), (1, True), (2, True), (3, False), (3, True), (4, True)):
            cohort.settled, cohort.changed = settled, changed
            cohorts.mark(cohort)
            due.append(cohorts.next_due()[1])
        assert due == [11, 12, 12, 15, 30, 15, 15]
        cohort.settled, cohort.changed = 4, False
        cohorts.mark(cohort)
        assert cohorts.next_due() == (None, None)
