"""Two versions that serve at the same time, held against each other."""

from dataclasses import replace
from itertools import product
from math import factorial

import numpy as np
import pytest

from mlvitals.signals.advantage import PERFORMANCE_ADVANTAGE, paired_gap
from mlvitals.signals.spec import Rival
from mlvitals.windows.exact_sum import CELLS, add_exact
from mlvitals.windows.layout import Task
from mlvitals.windows.paired import CLASS_CELLS, NUMBER_CELLS, Paired


def read(evidence):
    return {one.attributes["metric"]: one for one in PERFORMANCE_ADVANTAGE.compute(evidence)}


@pytest.fixture
def shadow(layouts, fill, usual):
    """Make two versions with these labels by class, this version and the other (wrong, right), on the same ids."""

    def make(cells):
        table = np.array(cells).reshape(2, 2, 2)
        outcomes = []
        for wrong, right in (table.sum(axis=2).T, table.sum(axis=1).T):
            confusion = [right[0], wrong[1], 0, wrong[0], right[1], 0, 0, 0, 0]
            labelled = int(table.sum())
            outcomes.append(fill(layouts["binary"], {}, [{"confusion": confusion, "labelled": labelled}]).outcome(0))
        paired = Paired(Task.BINARY, table.reshape(CLASS_CELLS))
        return replace(
            usual["binary"], outcome=outcomes[0], rival=Rival(version="2", outcome=outcomes[1], paired=paired)
        )

    return make


def test_what_both_versions_served_is_compared_label_by_label(shadow):
    found = read(shadow([30, 10, 40, 300, 5, 5, 20, 90]))
    accuracy, recall = found["accuracy"], found["recall"]
    assert accuracy.evidence == {
        "other_version": "2",
        "method": "paired",
        "only_this_right": 60.0,
        "only_other_right": 15.0,
    }
    assert accuracy.value == pytest.approx(45 / 500)
    assert (recall.value, recall.samples) == (pytest.approx(15 / 120), 120)
    assert found["specificity"].value == pytest.approx(30 / 380)


def test_pairs_say_more_than_two_cohorts_do(shadow):
    evidence = shadow([40, 10, 30, 420, 0, 0, 0, 0])
    alone = replace(evidence, rival=replace(evidence.rival, paired=None))
    paired, independent = read(evidence)["accuracy"], read(alone)["accuracy"]
    assert paired.value == pytest.approx(independent.value)
    assert paired.lower > 0 > independent.lower
    assert (paired.evidence["method"], independent.evidence["method"]) == ("paired", "independent")


def test_what_pairs_do_not_tell_is_told_from_two_cohorts(shadow):
    found = read(shadow([30, 10, 40, 300, 5, 5, 20, 90]))
    assert found["precision"].evidence["method"] == "independent"
    assert found["precision"].value == pytest.approx(110 / 150 - 95 / (95 + 70))


def test_a_few_ids_that_both_served_by_chance_are_no_comparison(shadow):
    evidence = shadow([40, 10, 30, 420, 0, 0, 0, 0])
    few = Paired(Task.BINARY, evidence.rival.paired.cells // 3)
    found = read(replace(evidence, rival=replace(evidence.rival, paired=few)))
    assert {one.evidence["method"] for one in found.values()} == {"independent"}


def test_without_another_version_nothing_is_said(shadow):
    assert read(replace(shadow([1] * CLASS_CELLS), rival=None)) == {}


def test_the_interval_of_matched_shares_is_that_of_a_published_survey():
    # Approval of a prime minister by 1600 people, asked twice: Agresti (2002), "Categorical data analysis", 10.1.1.
    found = paired_gap(150, 86, 1600)
    assert found == pytest.approx((0.04, 0.0213, 0.0587), abs=2e-4)


@pytest.mark.parametrize(
    ("rows", "chances"), list(product([12, 30], [(0.1, 0.1), (0.3, 0.1), (0.05, 0.02), (0.45, 0.45)]))
)
def test_the_interval_of_matched_shares_holds_the_true_difference_often_enough(rows, chances):
    only, other = chances
    held = 0.0
    for b in range(rows + 1):
        for c in range(rows + 1 - b):
            ways = factorial(rows) / (factorial(b) * factorial(c) * factorial(rows - b - c))
            found = paired_gap(b, c, rows)
            if found.lower <= only - other <= found.upper:
                held += ways * only**b * other**c * (1 - only - other) ** (rows - b - c)
    assert held > 0.93


@pytest.mark.parametrize(("only", "other", "rows"), [(9, 0, 9), (0, 9, 9), (0, 0, 1), (1, 0, 1), (400, 0, 400)])
def test_the_interval_holds_its_value_and_no_more_than_a_difference_can_be(only, other, rows):
    found = paired_gap(only, other, rows)
    assert -1 <= found.lower <= found.value <= found.upper <= 1


def test_of_numbers_the_mean_difference_of_the_errors_is_told(usual):
    better = np.random.default_rng(3).normal(0.2, 1.0, size=900)
    cells = np.zeros(NUMBER_CELLS, dtype=np.int64)
    cells[0] = 900
    for place, values in enumerate((better, better * better)):
        part = cells[1 + place * CELLS : 1 + (place + 1) * CELLS]
        add_exact(part, np.zeros(900, np.intp), values, np.ones(900, np.int64))
    evidence = usual["regression"]
    rival = replace(evidence.rival, paired=Paired(Task.REGRESSION, cells))
    found = read(replace(evidence, rival=rival))["mae"]
    half = 1.96 * better.std(ddof=1) / 30
    assert (found.value, found.lower, found.upper) == pytest.approx(
        (better.mean(), better.mean() - half, better.mean() + half), abs=1e-5
    )
    assert found.evidence["method"] == "paired"
