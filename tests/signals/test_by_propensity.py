"""Performance over all predictions from labels of known chances: what it is, how often its interval holds, and when
nothing is said."""

from dataclasses import replace

import numpy as np
import pytest
from msgspec import UNSET

from mlvitals.signals.by_propensity import CONTRADICTED, HARDLY_ANY
from mlvitals.signals.corrected import PERFORMANCE_CORRECTED
from mlvitals.signals.performance import PERFORMANCE_SCORE
from mlvitals.windows.bins import CategoryBins, NumericBins
from mlvitals.windows.exact_sum import CELLS, add_exact
from mlvitals.windows.layout import Layout, OutputLayout, Task
from mlvitals.windows.summary import Outcome
from tests.signals.selected_cohorts import EDGES, METRICS, cohort, counts_of, truth_of


@pytest.fixture(scope="module")
def layout():
    classes = CategoryBins(("0", "1"), own=2)
    return Layout((), OutputLayout(Task.BINARY, score=NumericBins(EDGES), classes=classes, weighs=True))


@pytest.fixture
def evidence_of(layout, fill, usual):
    """Make the evidence of decisions and true classes, of which some are labelled, by chances that are logged."""

    def make(scores, decided, true, labelled, chances):
        def summed(values):
            cells = np.zeros(4 * CELLS, dtype=np.int64)
            places = (2 * decided[weighed] + true[weighed]).astype(np.intp) * CELLS
            add_exact(cells, places, values, np.ones(len(values), dtype=np.int64))
            return cells

        weighed = labelled & np.isfinite(chances)
        weights = 1 / chances[weighed]
        served, outcome = counts_of(scores, decided, true, labelled)
        outcome |= {
            "weighed": np.bincount(2 * decided[weighed] + true[weighed], minlength=4),
            "weight": summed(weights),
            "weight_squared": summed(weights * weights),
        }
        current = fill(layout, served, [outcome])
        return replace(
            usual["binary"], current=current, outcome=current.outcome(0), maturity="45d", matured=None, final=True
        )

    return make


def read(evidence, method="propensity"):
    found = PERFORMANCE_CORRECTED.compute(evidence)
    return {one.attributes["metric"]: one for one in found if one.attributes["method"] == method}


def told(evidence):
    return {one.attributes["metric"]: one for one in PERFORMANCE_SCORE.compute(evidence)}


def watched(generator, rows, prior):
    """Draw a cohort, and what people see beside the score, which goes by the truth as well."""
    scores, decided, true = cohort(generator, rows, prior)
    return scores, decided, true, generator.random(rows) < np.where(true, 0.7, 0.2)


def chances_of(design, scores, decided, seen):
    return {
        "one alarm in ten let through": np.where(decided, 0.1, 1.0),
        "one alarm in ten, one other in three": np.where(decided, 0.1, 0.33),
        "by what people see": np.where(seen, 0.9, 0.15),
        "by score": 0.05 + 0.9 * scores,
    }[design]


def test_it_is_what_weights_by_row_say(evidence_of):
    """What has no label is as the labelled are, each for 1 ÷ chance - 1 others: the same by rows, without our code."""
    generator = np.random.default_rng(11)
    scores, decided, true, seen = watched(generator, 20_000, 0.2)
    chances = np.where(seen, 0.9, 0.15) * np.where(scores > 0.9, 0.5, 1.0)
    labelled = generator.random(len(scores)) < chances
    without = labelled & (generator.random(len(scores)) < 0.02)
    logged = np.where(without, np.nan, chances)
    positives = []
    squares = 0.0
    for mine in (~decided, decided):
        weighed = mine & labelled & ~without
        weights = 1 / chances[weighed]
        weights = weights / min(1.0, weights.sum() / (mine.sum() - (mine & without).sum()))
        others = int((mine & ~labelled).sum())
        share = ((weights - 1) * true[weighed]).sum() / (weights - 1).sum()
        positives.append(int((mine & labelled & true).sum()) + others * share)
        squares += (weights**2).sum() + (mine & without).sum()
    misses, hits = positives
    negative, positive = int((~decided).sum()), int(decided.sum())
    expected = {
        "accuracy": (hits + negative - misses) / len(true),
        "precision": hits / positive,
        "recall": hits / (hits + misses),
        "specificity": (negative - misses) / (negative - misses + positive - hits),
        "f1": 2 * hits / (hits + misses + positive),
    }
    evidence = evidence_of(scores, decided, true, labelled, logged)
    found = read(evidence)
    assert set(found) == METRICS
    for metric, value in expected.items():
        one = found[metric]
        assert one.value == pytest.approx(value, rel=1e-12), metric
        assert one.lower < one.value < one.upper
        assert one.evidence["unweighed"] == without.sum() > 100
        assert one.evidence["missing"] == (~labelled).sum()
        told_of = (1 / chances[labelled & ~without] - 1).sum()
        assert one.evidence["missing_expected"] == pytest.approx(told_of, rel=1e-12)
    assert found["recall"].evidence["effective_samples"] == pytest.approx(len(true) ** 2 / squares, rel=1e-12)
    assert not any("unweighed" in one.evidence for one in told(evidence).values())


@pytest.mark.parametrize(
    ("design", "lost"),
    [
        ("one alarm in ten let through", 0.0),
        ("one alarm in ten, one other in three", 0.05),
        ("by what people see", 0.0),
        ("by score", 0.05),
    ],
)
@pytest.mark.parametrize("prior", [0.3, 0.03])
def test_its_interval_holds_what_all_labels_would_say(evidence_of, design, prior, lost):
    """Of 150 cohorts in which recall is told; 0.95 less four standard errors of so many is 0.88."""
    generator = np.random.default_rng(7)
    held: dict[str, list[bool]] = {metric: [] for metric in METRICS}
    off, by_score = [], []
    for _ in range(150):
        scores, decided, true, seen = watched(generator, 8_000, prior)
        chances = chances_of(design, scores, decided, seen)
        labelled = (generator.random(len(true)) < chances) & (generator.random(len(true)) >= lost)
        evidence = evidence_of(scores, decided, true, labelled, chances)
        truth, found = truth_of(decided, true), read(evidence)
        for metric, one in found.items():
            held[metric].append(one.lower <= truth[metric] <= one.upper)
        off.append(found["recall"].value - truth["recall"])
        if design == "by what people see":
            by_score.append(read(evidence, "score_bins")["recall"].value - truth["recall"])
    shares = {metric: float(np.mean(held[metric])) for metric in METRICS}
    assert all(len(one) > 120 for one in held.values())
    assert min(shares.values()) >= 0.88
    assert abs(np.mean(off)) < 0.05
    if by_score:  # what is beyond the score its strata cannot know
        assert abs(np.mean(off)) < 0.01
        assert abs(np.mean(by_score)) > 0.05


def test_without_chances_of_being_seen_alarms_leave_bounds(evidence_of):
    """Whoever never lets an alarm through has logged that it was certain to be stopped: nothing speaks for it."""
    scores, decided, true, _ = watched(np.random.default_rng(1), 5_000, 0.2)
    evidence = evidence_of(scores, decided, true, ~decided, np.ones(len(true)))
    assert read(evidence) == {}
    assert {one.evidence["unweighed"] for metric, one in told(evidence).items() if metric in METRICS} == {HARDLY_ANY}


def test_labels_that_are_lost_besides_leave_no_value_once_they_are_many(evidence_of):
    generator = np.random.default_rng(2)
    scores, decided, true, seen = watched(generator, 20_000, 0.2)
    chances = np.where(seen, 0.9, 0.15)
    labelled = generator.random(len(true)) < chances
    few, many = (labelled & (generator.random(len(true)) >= lost) for lost in (0.05, 0.3))
    assert set(read(evidence_of(scores, decided, true, few, chances))) == METRICS
    evidence = evidence_of(scores, decided, true, many, chances)
    assert read(evidence) == {}
    assert told(evidence)["recall"].evidence["unweighed"] == HARDLY_ANY


def test_chances_that_are_not_those_of_a_label_are_told_as_such(evidence_of):
    """Every alarm is looked at, while what is logged says that one in ten would be."""
    scores, decided, true, _ = watched(np.random.default_rng(3), 5_000, 0.2)
    everyone = np.ones(len(true), dtype=bool)
    all_but = everyone.copy()
    all_but[np.flatnonzero(decided)[:10]] = False
    evidence = evidence_of(scores, decided, true, all_but, np.where(decided, 0.1, 1.0))
    assert read(evidence) == {}
    assert told(evidence)["recall"].evidence["unweighed"] == CONTRADICTED


def test_once_every_label_is_there_it_is_what_they_say(evidence_of):
    scores, decided, true, _ = watched(np.random.default_rng(6), 3_000, 0.2)
    evidence = evidence_of(scores, decided, true, np.ones(len(true), dtype=bool), np.ones(len(true)))
    truth = truth_of(decided, true)
    found = read(evidence)
    assert set(found) == METRICS
    for metric, one in found.items():
        assert (one.lower, one.value, one.upper) == pytest.approx((truth[metric],) * 3, abs=1e-15)


def test_before_the_last_maturity_and_without_weights_nothing_is_said(evidence_of, layout):
    generator = np.random.default_rng(8)
    scores, decided, true, seen = watched(generator, 3_000, 0.2)
    chances = np.where(seen, 0.9, 0.2)
    evidence = evidence_of(scores, decided, true, generator.random(len(true)) < chances, chances)
    assert set(read(evidence)) == METRICS
    assert read(replace(evidence, final=False)) == {}
    plain = replace(layout, output=replace(layout.output, weighs=UNSET))
    sections = layout.outcome_sections
    cells = np.concatenate([evidence.outcome.cells[sections[name]] for name in plain.outcome_sections])
    unweighed = replace(evidence, outcome=Outcome(plain, cells))
    assert read(unweighed) == {}
    assert "unweighed" not in told(unweighed)["recall"].evidence
