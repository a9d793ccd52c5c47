"""Plain shares: predicted classes, label coverage."""

import pytest
from scipy.stats import binomtest

from mlvitals.signals.share import LABEL_COVERAGE_RATIO, PREDICTION_CLASS_RATIO
from mlvitals.signals.spec import Evidence


def by(statistic, evidence, attribute):
    return {reading.attributes[attribute]: reading for reading in statistic.compute(evidence)}


def test_classes_share_the_predictions_that_have_one(layouts, fill):
    window = fill(layouts["multiclass"], {"class": [40, 0, 10, 25, 30, 20]})  # 25 without a class, 20 of a new one
    readings = by(PREDICTION_CLASS_RATIO, Evidence(current=window), "class")
    assert {name: reading.value for name, reading in readings.items()} == {
        "cat": 0.4,
        "dog": 0.0,
        "cow": 0.1,
        "__other__": 0.5,
    }
    assert {reading.samples for reading in readings.values()} == {100}


def test_other_classes_appear_only_when_they_occur(layouts, fill):
    window = fill(layouts["multiclass"], {"class": [40, 50, 10, 25, 0, 0]})
    assert list(by(PREDICTION_CLASS_RATIO, Evidence(current=window), "class")) == ["cat", "dog", "cow"]


def test_a_class_that_the_reference_never_had_was_zero_there(layouts, fill):
    layout = layouts["multiclass"]
    window, reference = fill(layout, {"class": [1, 1, 1, 0, 1, 0]}), fill(layout, {"class": [2, 2, 6, 5, 0, 0]})
    readings = by(PREDICTION_CLASS_RATIO, Evidence(current=window, reference=reference), "class")
    assert {name: reading.evidence["reference"] for name, reading in readings.items()} == {
        "cat": 0.2,
        "dog": 0.2,
        "cow": 0.6,
        "__other__": 0.0,
    }
    assert readings["cat"].reference_samples == 10


def test_a_regression_has_no_classes(layouts, fill):
    assert list(PREDICTION_CLASS_RATIO.compute(Evidence(current=fill(layouts["regression"])))) == []


def test_coverage_is_labelled_by_served_with_errors_left_out(layouts, fill):
    window = fill(layouts["binary"], {"predictions": 200, "errors": 50}, [{"labelled": 30}, {"labelled": 20}])
    for bucket, maturity, value in ((0, "1d", 0.15), (1, "7d", 0.25)):
        evidence = Evidence(current=window, outcome=window.outcome(bucket), maturity=maturity)
        (reading,) = LABEL_COVERAGE_RATIO.compute(evidence)
        assert (reading.value, reading.samples, reading.attributes) == (value, 200, {"maturity": maturity})
        expected = binomtest(round(value * 200), 200).proportion_ci(method="wilson")
        assert (reading.lower, reading.upper) == pytest.approx((expected.low, expected.high), rel=1e-9)


@pytest.mark.parametrize(("labelled", "bound"), [(0, "lower"), (200, "upper")])
def test_coverage_at_an_end_is_exact_there(layouts, fill, labelled, bound):
    window = fill(layouts["binary"], {"predictions": 200}, [{"labelled": labelled}])
    (reading,) = LABEL_COVERAGE_RATIO.compute(Evidence(current=window, outcome=window.outcome(0), maturity="7d"))
    assert getattr(reading, bound) == reading.value == labelled / 200


def test_nothing_served_or_no_maturity_yet_has_no_coverage(layouts, fill):
    empty = fill(layouts["binary"], {"errors": 4}, [{}])
    assert list(LABEL_COVERAGE_RATIO.compute(Evidence(current=empty, outcome=empty.outcome(0), maturity="7d"))) == []
    served = fill(layouts["binary"], {"predictions": 4}, [{}])
    assert list(LABEL_COVERAGE_RATIO.compute(Evidence(current=served))) == []
