"""Estimated performance as signals: before labels, and against them; and whether scores still mean what they meant."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from mlvitals.signals.calibrator import calibrator_of
from mlvitals.signals.estimated import CBPE, LABEL_SHIFT, PERFORMANCE_ESTIMATE_ERROR, PERFORMANCE_ESTIMATED
from mlvitals.signals.miscalibration import PERFORMANCE_MISCALIBRATION, spiegelhalter_z
from mlvitals.signals.performance import PERFORMANCE_SCORE
from mlvitals.signals.spec import Evidence, Reading

CHANCES = np.array([0.02, 0.1, 0.2, 0.45, 0.6, 0.8, 0.95])
MIXTURE = np.array([0.3, 0.2, 0.15, 0.1, 0.1, 0.1, 0.05])
ACTED = 3  # bins from this one on are positive decisions
ROWS = 20_000


@pytest.fixture
def summary(layouts, fill):
    """Return a summary of rows by score bin, of which these came true, and the share of them that has a label."""

    def made(rows, positives, coverage=1.0):
        rows, positives = np.asarray(rows, np.int64), np.asarray(positives, np.int64)
        served = {
            "predictions": int(rows.sum()),
            "score": [*rows, 0, 0, 0],
            "positive_score": np.where(np.arange(7) >= ACTED, rows, 0),
        }
        labelled, hits = (np.rint(one * coverage).astype(np.int64) for one in (rows, positives))
        misses = labelled - hits
        confusion = [misses[:ACTED].sum(), hits[:ACTED].sum(), 0, misses[ACTED:].sum(), hits[ACTED:].sum(), 0, 0, 0, 0]
        outcome = {
            "labelled": labelled.sum(),
            "confusion": confusion,
            "negatives": [*misses, 0, 0, 0],
            "positives": [*hits, 0, 0, 0],
        }
        return fill(layouts["binary"], served, [outcome])

    return made


@pytest.fixture
def reference(summary):
    return summary(ROWS * MIXTURE, ROWS * MIXTURE * CHANCES)


class Told(NamedTuple):
    """A reading whose interval and noise are there."""

    value: float
    lower: float
    upper: float
    noise: float
    normal: float | None
    numbers: dict[str, float]
    words: dict[str, str]


def told(one: Reading) -> Told:
    assert one.lower is not None
    assert one.upper is not None
    assert one.noise is not None
    numbers = {name: value for name, value in one.evidence.items() if isinstance(value, float)}
    words = {name: value for name, value in one.evidence.items() if isinstance(value, str)}
    return Told(one.value, one.lower, one.upper, one.noise, one.normal, numbers, words)


def read(statistic, current, reference, **more) -> dict[tuple[str, ...], Told]:
    evidence = Evidence(current=current, reference=reference, outcome=current.outcome(0), maturity="7d")
    readings = statistic.compute(replace(evidence, **more))
    return {tuple(value for name, value in one.attributes.items() if name != "maturity"): told(one) for one in readings}


def test_what_is_served_as_in_the_reference_is_estimated_to_be_as_good(summary, reference):
    window = summary(2_000 * MIXTURE, 2_000 * MIXTURE * CHANCES)
    found = read(PERFORMANCE_ESTIMATED, window, reference)
    truth = PERFORMANCE_SCORE.compute(Evidence(current=reference, outcome=reference.outcome(0), maturity="7d"))
    compared = 0
    for true in truth:
        for method in (CBPE, LABEL_SHIFT):
            one = found[method, true.attributes["metric"]]
            assert one.value == pytest.approx(true.value, abs=1e-6)
            assert one.numbers["reference"] == true.value
            assert one.lower < one.value < one.upper
            compared += 1
    assert compared == len(found) == 18


def test_other_scores_are_worth_what_scores_meant(summary, reference):
    harder = 2_000 * MIXTURE[::-1][[3, 2, 1, 0, 4, 5, 6]]
    window = summary(harder, harder * CHANCES)
    found = read(PERFORMANCE_ESTIMATED, window, reference)
    for true in PERFORMANCE_SCORE.compute(Evidence(current=window, outcome=window.outcome(0), maturity="7d")):
        one = found[CBPE, true.attributes["metric"]]
        assert one.value == pytest.approx(true.value, abs=2e-3)
        assert one.numbers["gap"] == found[LABEL_SHIFT, true.attributes["metric"]].value - one.value


def test_another_share_of_positives_is_met_by_the_label_shift_alone(summary, reference):
    positive, negative = MIXTURE * CHANCES, MIXTURE * (1 - CHANCES)
    shifted = 0.1 * positive / positive.sum(), 0.9 * negative / negative.sum()
    window = summary(np.rint(50_000 * (shifted[0] + shifted[1])), np.rint(50_000 * shifted[0]))
    truth = PERFORMANCE_SCORE.compute(Evidence(current=window, outcome=window.outcome(0), maturity="7d"))
    precision = next(one.value for one in truth if one.attributes["metric"] == "precision")
    found = read(PERFORMANCE_ESTIMATED, window, reference)
    assert found[LABEL_SHIFT, "precision"].value == pytest.approx(precision, abs=2e-3)
    assert found[LABEL_SHIFT, "precision"].numbers["positives"] == pytest.approx(0.1, abs=2e-3)
    assert found[CBPE, "precision"].value > precision + 0.1


def test_without_labels_in_the_reference_nothing_is_estimated(summary, reference):
    window = summary(2_000 * MIXTURE, 2_000 * MIXTURE * CHANCES)
    nothing = summary(2_000 * MIXTURE, 2_000 * MIXTURE * CHANCES, coverage=0.0)
    assert read(PERFORMANCE_ESTIMATED, window, nothing) == {}
    trained = read(PERFORMANCE_ESTIMATED, window, nothing, training=reference)
    assert {one.words["calibrated_on"] for one in trained.values()} == {"training"}
    assert {one.words["calibrated_on"] for one in read(PERFORMANCE_ESTIMATED, window, reference).values()} == {
        "operating"
    }


def test_the_error_is_what_was_realised_less_what_was_estimated(summary, reference):
    worse = summary(2_000 * MIXTURE, 2_000 * MIXTURE * CHANCES[[0, 1, 2, 3, 3, 3, 3]])
    found = read(PERFORMANCE_ESTIMATE_ERROR, worse, reference)
    one = found[CBPE, "precision"]
    assert one.value == pytest.approx(one.numbers["realised"] - one.numbers["estimated"])
    assert one.upper < 0
    fine = summary(2_000 * MIXTURE, 2_000 * MIXTURE * CHANCES)
    assert all(one.lower < 0 < one.upper for one in read(PERFORMANCE_ESTIMATE_ERROR, fine, reference).values())


def test_few_labels_widen_the_error(summary, reference):
    full, part = (summary(4_000 * MIXTURE, 4_000 * MIXTURE * CHANCES, coverage=share) for share in (1.0, 0.25))
    of_full, of_part = (read(PERFORMANCE_ESTIMATE_ERROR, one, reference)[CBPE, "accuracy"] for one in (full, part))
    assert of_part.noise > 1.8 * of_full.noise
    assert (of_full.numbers["coverage"], of_part.numbers["coverage"]) == (1.0, 0.25)


def odds(chances):
    return np.log(chances / (1 - chances))


def moved(chances, intercept=0.0, slope=1.0):
    return 1 / (1 + np.exp(-(intercept + slope * odds(chances))))


def test_scores_that_mean_what_they_meant_are_at_0(summary, reference):
    generator = np.random.default_rng(3)
    rows = np.rint(5_000 * MIXTURE).astype(np.int64)
    for _ in range(50):
        window = summary(rows, generator.binomial(rows, CHANCES))
        for one in read(PERFORMANCE_MISCALIBRATION, window, reference).values():
            assert abs(one.value) <= 4 * one.noise


@pytest.mark.parametrize("step", [-0.2, 0.2])
def test_odds_that_moved_alike_are_an_intercept(summary, reference, step):
    rows = 50_000 * MIXTURE
    found = read(PERFORMANCE_MISCALIBRATION, summary(rows, rows * moved(CHANCES, intercept=step)), reference)
    assert found["intercept",].value == pytest.approx(step, rel=0.15)
    assert abs(found["intercept",].value) > 4 * found["intercept",].noise
    assert abs(found["slope",].value) < 0.05


def test_scores_that_tell_less_are_a_slope(summary, reference):
    rows = 50_000 * MIXTURE
    centre = float(odds(CHANCES) @ (MIXTURE * CHANCES * (1 - CHANCES)) / (MIXTURE @ (CHANCES * (1 - CHANCES))))
    flatter = moved(CHANCES, intercept=0.1 * centre, slope=0.9)
    found = read(PERFORMANCE_MISCALIBRATION, summary(rows, rows * flatter), reference)
    assert found["slope",].value == pytest.approx(-0.1, rel=0.2)
    assert found["slope",].value < -4 * found["slope",].noise


def test_labels_that_are_still_few_of_those_to_come_are_not_judged(summary, reference):
    rows = 5_000 * MIXTURE
    for coverage, normal in ((0.95, 0.0), (0.5, None)):
        window = summary(rows, rows * CHANCES, coverage=coverage)
        assert {one.normal for one in read(PERFORMANCE_MISCALIBRATION, window, reference).values()} == {normal}


def test_spiegelhalter_s_z_is_that_of_rows(reference):
    rows = np.rint(1_000 * MIXTURE).astype(np.int64)
    positives = np.random.default_rng(8).binomial(rows, moved(CHANCES, intercept=0.5))
    calibrator = calibrator_of(reference)
    assert calibrator is not None
    certain = replace(calibrator, variances=np.zeros_like(calibrator.variances))
    y = np.concatenate([np.repeat([0.0, 1.0], [n - k, k]) for n, k in zip(rows, positives, strict=True)])
    c = np.repeat(calibrator.chances, rows)
    by_hand = ((y - c) * (1 - 2 * c)).sum() / np.sqrt(((1 - 2 * c) ** 2 * c * (1 - c)).sum())
    assert spiegelhalter_z(rows - positives, positives, certain) == pytest.approx(by_hand)


@pytest.fixture
def confident(layouts, fill):
    """Return a summary of classes predicted with these chances of being right, by drift bin of their score."""

    def made(rows, chances):
        rows = np.asarray(rows, np.int64)
        right = np.rint(rows * chances).astype(np.int64)
        confusion = np.zeros((5, 5), np.int64)
        confusion[0, 0], confusion[0, 1] = right.sum(), (rows - right).sum()
        outcome = {
            "labelled": rows.sum(),
            "confusion": confusion.ravel(),
            "calibration": np.concatenate([rows, right, np.zeros(2 * len(rows), np.int64)]),
        }
        return fill(layouts["confident"], {"predictions": int(rows.sum()), "score": [*rows, 0, 0, 0]}, [outcome])

    return made


def test_of_many_classes_the_share_that_is_right_follows_from_the_predicted_class_s_score(confident):
    chances = np.array([0.4, 0.7, 0.9])
    reference, window = confident([2_000, 3_000, 5_000], chances), confident([900, 600, 500], chances)
    found = read(PERFORMANCE_ESTIMATED, window, reference)
    assert list(found) == [(CBPE, "accuracy")]
    one = found[CBPE, "accuracy"]
    assert one.value == pytest.approx((900 * 0.4 + 600 * 0.7 + 500 * 0.9) / 2_000)
    assert one.numbers["reference"] == pytest.approx(0.74)
    assert one.lower < one.value < one.upper
    assert read(PERFORMANCE_ESTIMATE_ERROR, window, reference)[CBPE, "accuracy"].value == pytest.approx(0, abs=1e-9)
    worse = confident([900, 600, 500], moved(chances, intercept=-0.5))
    assert read(PERFORMANCE_ESTIMATE_ERROR, worse, reference)[CBPE, "accuracy"].upper < 0
    assert read(PERFORMANCE_MISCALIBRATION, worse, reference)["intercept",].value == pytest.approx(-0.5, rel=0.1)
