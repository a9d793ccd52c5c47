"""Performance over all predictions from labels that came by score: what it is, how often its interval holds, and when
nothing is said."""

from dataclasses import replace

import numpy as np
import pytest

from mlvitals.signals.by_score import ONLY_POSITIVES
from mlvitals.signals.corrected import PERFORMANCE_CORRECTED
from mlvitals.signals.missing import TOO_FEW
from mlvitals.signals.performance import PERFORMANCE_SCORE
from mlvitals.signals.strata import strata_of
from mlvitals.windows.bins import CategoryBins, NumericBins
from mlvitals.windows.layout import Layout, OutputLayout, Task
from mlvitals.windows.summary import Outcome
from tests.signals.selected_cohorts import EDGES, METRICS, THRESHOLD, cohort, counts_of, truth_of


@pytest.fixture(scope="module")
def layout():
    return Layout(
        (),
        OutputLayout(
            Task.BINARY,
            score=NumericBins(EDGES),
            classes=CategoryBins(("0", "1"), own=2),
            threshold=THRESHOLD,
            probability=True,
        ),
    )


@pytest.fixture
def evidence_of(layout, fill, usual):
    """Make the evidence of scores, decisions and true classes, of which some are labelled."""

    def make(scores, decided, true, labelled):
        served, outcome = counts_of(scores, decided, true, labelled)
        current = fill(layout, served, [outcome])
        return replace(
            usual["binary"], current=current, outcome=current.outcome(0), maturity="45d", matured=None, final=True
        )

    return make


def read(statistic, evidence):
    return {one.attributes["metric"]: one for one in statistic.compute(evidence)}


def test_it_is_what_weights_by_stratum_say(evidence_of):
    """Each labelled row weighs n / m of its decision and stratum: the same by rows, without any of our code."""
    generator = np.random.default_rng(11)
    scores, decided, true = cohort(generator, 20_000, 0.2)
    labelled = generator.random(len(scores)) < 0.1 + 0.8 * (scores > 0.3)
    evidence = evidence_of(scores, decided, true, labelled)
    weights = np.zeros(len(scores))
    by_decision = strata_of(evidence.current, evidence.outcome)
    assert by_decision is not None
    for decision, strata in enumerate(by_decision):
        rows = np.flatnonzero(decided == bool(decision))
        ranked = rows[np.argsort(np.floor(scores[rows] * 200), kind="stable")]
        for part in np.split(ranked, np.cumsum(strata.served)[:-1]):
            mine = part[labelled[part]]
            weights[mine] = len(part) / len(mine)
    assert weights.sum() == pytest.approx(len(scores))
    expected = {
        "accuracy": (decided == true, np.ones(len(true))),
        "precision": (true & decided, decided),
        "recall": (true & decided, true),
        "specificity": (~true & ~decided, ~true),
        "f1": (2.0 * (true & decided), 1.0 * decided + true),
    }
    found = read(PERFORMANCE_CORRECTED, evidence)
    assert set(found) == METRICS
    for metric, (part, whole) in expected.items():
        one = found[metric]
        assert one.value == pytest.approx((weights * part).sum() / (weights * whole).sum(), rel=1e-12), metric
        about = weights[decided] if metric == "precision" else weights
        assert one.evidence["effective_samples"] == pytest.approx(about.sum() ** 2 / (about**2).sum(), rel=1e-12)
        assert one.samples == int(one.evidence["effective_samples"]) < labelled.sum()
        assert one.evidence["identified_share"] == 1.0
        assert one.attributes["method"] == "score_bins"
        between = sorted((one.evidence["odds_half"], one.value, one.evidence["odds_double"]))
        assert between[1] == one.value or metric in {"accuracy", "f1"}


@pytest.mark.parametrize("prior", [0.3, 0.03])
@pytest.mark.parametrize("design", ["by score", "alerts", "one in five"])
def test_its_interval_holds_what_all_labels_would_say(evidence_of, prior, design):
    """Of 150 cohorts in which each metric is told; 0.95 less four standard errors of so many is 0.88."""
    generator = np.random.default_rng(7)
    held: dict[str, list[bool]] = {metric: [] for metric in METRICS}
    off, plain = [], []
    for _ in range(150):
        scores, decided, true = cohort(generator, 8_000, prior)
        chances = {
            "by score": 0.05 + 0.9 * np.floor(scores * 200) / 200,
            "alerts": np.where(decided, 0.95, 0.08),
            "one in five": np.full(len(scores), 0.2),
        }
        evidence = evidence_of(scores, decided, true, generator.random(len(scores)) < chances[design])
        truth, found = truth_of(decided, true), read(PERFORMANCE_CORRECTED, evidence)
        for metric, one in found.items():
            held[metric].append(one.lower <= truth[metric] <= one.upper)
        if "recall" in found:
            off.append(found["recall"].value - truth["recall"])
            plain.append(read(PERFORMANCE_SCORE, evidence)["recall"].value - truth["recall"])
    shares = {metric: float(np.mean(held[metric])) for metric in METRICS}
    assert all(len(one) > 120 for one in held.values())
    assert min(shares.values()) >= 0.88
    assert abs(np.mean(off)) < 0.02
    if design != "one in five":
        assert np.mean(plain) > 0.05


def test_where_only_alerts_are_labelled_there_are_bounds_and_no_recall(evidence_of):
    scores, decided, true = cohort(np.random.default_rng(1), 5_000, 0.2)
    evidence = evidence_of(scores, decided, true, decided)
    found, plain, truth = (
        read(PERFORMANCE_CORRECTED, evidence),
        read(PERFORMANCE_SCORE, evidence),
        truth_of(decided, true),
    )
    assert set(found) == {"precision"}
    assert {found["precision"].lower, found["precision"].upper} == {truth["precision"]}
    for metric in METRICS - {"precision"}:
        told = plain[metric].evidence
        assert told["uncorrected"] == TOO_FEW
        assert told["identified_share"] == decided.mean()
        assert told["identified_worst"] <= truth[metric] <= told["identified_best"]
        assert told["identified_worst"] == pytest.approx(told["worst"])
        assert told["identified_best"] == pytest.approx(told["best"])
    assert plain["recall"].value == 1.0  # what the labelled ones say
    assert "uncorrected" not in plain["precision"].evidence


def test_what_is_hidden_of_low_scores_leaves_bounds_that_the_rest_narrows(evidence_of):
    generator = np.random.default_rng(2)
    scores, decided, true = cohort(generator, 20_000, 0.2)
    labelled = (generator.random(len(scores)) < 0.3) & (scores > 0.1)
    evidence = evidence_of(scores, decided, true, labelled)
    assert set(read(PERFORMANCE_CORRECTED, evidence)) == {"precision"}
    told = read(PERFORMANCE_SCORE, evidence)["recall"].evidence
    assert told["worst"] < told["identified_worst"] < truth_of(decided, true)["recall"] < told["identified_best"]
    assert told["identified_best"] < told["best"]
    assert 0.1 < told["identified_share"] < 0.9


def test_a_few_predictions_without_a_label_like_them_widen_the_interval_and_hide_nothing(evidence_of):
    generator = np.random.default_rng(3)
    scores, decided, true = cohort(generator, 20_000, 0.2)
    labelled = generator.random(len(scores)) < 0.3
    known = read(PERFORMANCE_CORRECTED, evidence_of(scores, decided, true, labelled))["recall"]
    scores[np.flatnonzero(~decided)[:150]] = np.nan
    labelled[np.isnan(scores)] = False
    found = read(PERFORMANCE_CORRECTED, evidence_of(scores, decided, true, labelled))["recall"]
    assert found.evidence["identified_share"] == 1 - 150 / 20_000
    assert known.lower - found.lower > 0.01
    assert found.lower <= truth_of(decided, true)["recall"] <= found.upper


def test_of_positive_labels_alone_nothing_is_said(evidence_of):
    scores, decided, true = cohort(np.random.default_rng(4), 5_000, 0.3)
    evidence = evidence_of(scores, decided, true, true)
    assert read(PERFORMANCE_CORRECTED, evidence) == {}
    told = read(PERFORMANCE_SCORE, evidence)["precision"].evidence
    assert told["uncorrected"] == ONLY_POSITIVES
    assert "identified_worst" not in told


def test_once_every_label_is_there_it_is_what_they_say(evidence_of):
    scores, decided, true = cohort(np.random.default_rng(6), 3_000, 0.2)
    scores[:7] = np.nan
    evidence = evidence_of(scores, decided, true, np.ones(len(scores), dtype=bool))
    truth = truth_of(decided, true)
    for metric, one in read(PERFORMANCE_CORRECTED, evidence).items():
        assert (one.lower, one.value, one.upper) == pytest.approx((truth[metric],) * 3, abs=1e-15)
        assert one.samples == (decided.sum() if metric == "precision" else 3_000)


def test_before_the_last_maturity_and_of_counts_that_do_not_fit_nothing_is_said(evidence_of):
    scores, decided, true = cohort(np.random.default_rng(8), 3_000, 0.2)
    evidence = evidence_of(scores, decided, true, scores > 0.2)
    assert read(PERFORMANCE_CORRECTED, replace(evidence, final=False)) == {}
    cells = evidence.outcome.cells.copy()
    cells[evidence.outcome.layout.outcome_sections["acted_positives"]] += 1  # labels that were never served
    broken = replace(evidence, outcome=Outcome(evidence.outcome.layout, cells))
    assert read(PERFORMANCE_CORRECTED, broken) == {}
    nobody = evidence_of(np.zeros(0), np.zeros(0, dtype=bool), np.zeros(0, dtype=bool), np.zeros(0, dtype=bool))
    assert read(PERFORMANCE_CORRECTED, nobody) == {}
    one = evidence_of(np.array([0.4]), np.array([False]), np.array([True]), np.array([False]))
    assert read(PERFORMANCE_CORRECTED, one) == {}
