"""Which matured cohorts a younger one may know of, and what is kept of them."""

import numpy as np
import pytest

from mlvitals.clock import DAY
from mlvitals.state import Store
from mlvitals.windows import tables
from mlvitals.windows.cohorts import Cohort, CohortKey
from mlvitals.windows.matured import LEARNT_FROM, MaturedCohorts
from mlvitals.windows.summary import Summary

AGES = (DAY, 7 * DAY, 30 * DAY)


@pytest.fixture
def matured(tmp_path):
    with Store.open(tmp_path / "state.db", (tables.MIGRATIONS,)) as store, store.transaction() as connection:
        yield MaturedCohorts(connection, "m", AGES)


@pytest.fixture
def cohort(layout):
    """Make the cohort of a day: 80 negative and 20 positive decisions, and by age which cells of confusion came."""

    def make(day, version="1", segment="", cells=((1, 0, 3, 4), (0, 2, 0, 0), (79, 0, 0, 13))):
        summary = Summary.empty(layout, len(AGES))
        summary.served[layout.served_sections["class"]] = [80, 20, 5, 0, 0]
        for row, (tn, fn, fp, tp) in zip(summary.outcomes, cells, strict=True):
            row[layout.outcome_sections["confusion"]] = [tn, fn, 0, fp, tp, 0, 0, 0, 0]
        return Cohort(CohortKey(day * DAY, version, segment), (day + 1) * DAY, summary)

    return make


def test_what_had_come_by_an_age_and_at_all_is_told_by_decision_and_class(matured, cohort):
    matured.keep(cohort(0))
    found = matured.at(100 * DAY, 1)
    assert found.served.tolist() == [[80, 20]]
    assert found.known.tolist() == [[[1, 2], [3, 4]]]
    assert found.final.tolist() == [[[80, 2], [3, 17]]]


def test_a_cohort_knows_of_those_that_had_matured_when_it_reached_the_age_and_of_no_other(matured, cohort):
    for day in range(200):
        matured.keep(cohort(day))
    for bucket, age in enumerate(AGES[:-1]):
        # Windows that end with the last maturity, or a quarter, before the moment at which the age is reached.
        end = 150 * DAY
        known = [
            day for day in range(200) if end + age - AGES[-1] - LEARNT_FROM < (day + 1) * DAY <= end + age - AGES[-1]
        ]
        assert len(matured.at(end, bucket).served) == len(known) == 92
    assert len(matured.at(0, 1).served) == 0
    assert matured.at(150 * DAY, 2) is None


def test_versions_of_a_window_are_one_cohort_and_segments_are_none(matured, cohort):
    for version, segment in (("1", ""), ("2", ""), ("2", "country=CH")):
        matured.keep(cohort(3, version, segment))
    assert matured.at(100 * DAY, 0).served.tolist() == [[160, 40]]


def test_only_what_was_kept_before_and_is_another_one_now_has_changed(matured, cohort):
    assert [matured.keep(cohort(1)), matured.keep(cohort(1))] == [False, False]
    assert matured.keep(cohort(1, cells=((0, 0, 0, 1), (0, 0, 0, 0), (0, 0, 0, 0))))
    assert int(matured.at(100 * DAY, 0).final.sum()) == 1


def test_what_no_living_cohort_can_ask_for_is_forgotten(matured, cohort):
    for day in range(200):
        matured.keep(cohort(day))
    known = matured.at(170 * DAY, 0)
    matured.forget(169 * DAY)
    assert np.array_equal(matured.at(170 * DAY, 0).known, known.known)
    matured.forget(400 * DAY)
    assert len(matured.at(170 * DAY, 0).known) == 0


def test_a_model_without_labels_has_nothing_to_forget(tmp_path):
    with Store.open(tmp_path / "state.db", (tables.MIGRATIONS,)) as store, store.transaction() as connection:
        MaturedCohorts(connection, "m", ()).forget(400 * DAY)
