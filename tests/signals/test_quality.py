"""The quality of features, kind by kind, against what was usual."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from mlvitals.decisions.thresholds import judge
from mlvitals.signals.quality import (
    FEATURE_INVALID_RATIO,
    FEATURE_MISSING_RATIO,
    FEATURE_OUT_OF_RANGE_RATIO,
    FEATURE_UNSEEN_RATIO,
    FEATURE_ZERO_RATIO,
)
from mlvitals.signals.spec import Evidence, Status
from mlvitals.windows.bins import TRUTHS, UNKNOWN_VALUES
from mlvitals.windows.freeze import freeze_categories, freeze_numeric
from mlvitals.windows.layout import FeatureLayout, Kind, Layout, OutputLayout, Task
from mlvitals.windows.summary import Summary

NUMBERS = freeze_numeric(np.array([1.0, 2.0, 3.0]))  # < 0, = 0, (0, 1), = 1, (1, 2), = 2, (2, 3), = 3, > 3
LAYOUT = Layout(
    features=(
        FeatureLayout("number", Kind.NUMERIC, NUMBERS),
        FeatureLayout("category", Kind.CATEGORICAL, freeze_categories({"a": 50, "b": 49, "c": 1})),
        FeatureLayout("open", Kind.CATEGORICAL, freeze_categories({"a": 50}, complete=False)),
        FeatureLayout("truth", Kind.BOOLEAN, TRUTHS),
        FeatureLayout("text", Kind.TEXT, NUMBERS),
        FeatureLayout("key", Kind.IDENTIFIER, UNKNOWN_VALUES),
        FeatureLayout("hour", Kind.CALENDAR, NUMBERS),
        FeatureLayout("day", Kind.CALENDAR, UNKNOWN_VALUES),
        FeatureLayout("void", Kind.NUMERIC, freeze_numeric(np.empty(0))),
    ),
    output=OutputLayout(Task.REGRESSION),
)
APPLIES = (
    (FEATURE_MISSING_RATIO, {"number", "category", "open", "truth", "text", "key", "hour", "day", "void"}),
    (FEATURE_UNSEEN_RATIO, {"category", "truth"}),
    (FEATURE_OUT_OF_RANGE_RATIO, {"number", "text"}),
    (FEATURE_INVALID_RATIO, {"number", "hour", "void"}),
    (FEATURE_ZERO_RATIO, {"number", "text"}),
)


def counted(**parts):
    summary = Summary.empty(LAYOUT)
    for name, cells in parts.items():
        summary.served[LAYOUT.served_sections[f"features.{name}"]] = cells
    return summary


def read(statistic, current, **evidence):
    (reading,) = statistic.compute(Evidence(current=current, **evidence))
    return reading


@pytest.mark.parametrize(("statistic", "features"), APPLIES)
def test_each_share_is_told_of_the_kinds_it_means_something_for(statistic, features):
    served = np.ones(LAYOUT.served_size, dtype=np.int64)
    readings = statistic.compute(Evidence(current=Summary(LAYOUT, served, Summary.empty(LAYOUT).outcomes)))
    assert {reading.attributes["feature"] for reading in readings} == features


def test_the_shares_of_a_number_by_hand():
    window = counted(number=[3, 5, 2, 34, 0, 0, 0, 30, 10, 4, 6, 8])
    for statistic, count, rows in (
        (FEATURE_MISSING_RATIO, 4, 102),
        (FEATURE_OUT_OF_RANGE_RATIO, 3 + 5 + 2 + 10, 98),
        (FEATURE_INVALID_RATIO, 6 + 8, 98),
        (FEATURE_ZERO_RATIO, 5, 98),
    ):
        reading = read(statistic, window)
        assert (reading.value, reading.samples) == (count / rows, rows)
        expected = binomtest(count, rows).proportion_ci(method="wilson")
        assert (reading.lower, reading.upper) == pytest.approx((expected.low, expected.high), rel=1e-9)
        assert (reading.normal, reading.noise, reading.evidence) == (None, None, {})
        assert judge(statistic.spec, reading)[:2] == (
            Status.INSUFFICIENT_DATA if rows < 100 else Status.OK,
            None,
        )


def test_unseen_values_are_shares_of_those_that_are_there():
    window = counted(category=[5, 5, 100, 10, 20])
    reading = read(FEATURE_UNSEEN_RATIO, window)
    assert (reading.value, reading.samples) == (20 / 40, 40)


def test_what_is_usual_is_the_share_of_the_reference():
    window, reference = counted(number=[0] * 9 + [5, 0, 0]), counted(number=[0] * 3 + [900] + [0] * 5 + [100, 0, 0])
    for evidence in ({"reference": reference}, {"training": reference}):
        reading = read(FEATURE_MISSING_RATIO, window, **evidence)
        assert (reading.normal, reading.evidence, reading.reference_samples) == (0.1, {"reference": 0.1}, 1_000)
        smoothed = 100.5 / 1_001
        assert reading.noise == pytest.approx(sqrt(smoothed * (1 - smoothed) * (1 / 5 + 1 / 1_000)))


def test_new_values_are_usual_where_the_reference_held_many_once():
    reference = counted(category=[50, 49, 0, 1, 0])
    reading = read(FEATURE_UNSEEN_RATIO, counted(category=[990, 0, 0, 0, 10]), reference=reference)
    assert (reading.value, reading.normal) == (0.01, 0.01)


@pytest.mark.parametrize(
    ("missing", "status"), [(0, Status.OK), (100, Status.OK), (120, Status.OK), (160, Status.WARNING)]
)
def test_more_than_usual_warns_and_less_never_does(missing, status):
    reference = counted(number=[0] * 3 + [90_000] + [0] * 5 + [10_000, 0, 0])
    window = counted(number=[0] * 3 + [1_000 - missing] + [0] * 5 + [missing, 0, 0])
    reading = read(FEATURE_MISSING_RATIO, window, reference=reference)
    assert judge(FEATURE_MISSING_RATIO.spec, reading)[0] is status


@pytest.mark.parametrize(("faults", "status"), [(2, Status.OK), (3, Status.WARNING)])
def test_of_a_hundred_rows_three_that_are_never_there_warn(faults, status):
    reference = counted(number=[0] * 3 + [10_000] + [0] * 8)
    window = counted(number=[0] * 3 + [100 - faults] + [0] * 7 + [faults])
    assert judge(FEATURE_INVALID_RATIO.spec, read(FEATURE_INVALID_RATIO, window, reference=reference))[0] is status


@given(st.integers(0, 2**32), st.sampled_from([1e-4, 1e-3, 0.05, 0.5]), st.sampled_from([100, 1_000, 20_000]))
def test_a_share_that_did_not_change_does_not_warn(seed, share, rows):
    """Two standard errors more than a warning takes, so that no draw fails by chance."""
    random = np.random.default_rng(seed)
    drawn = random.binomial([50_000, rows], share)
    reference, window = (
        counted(number=[0] * 3 + [total - int(count)] + [0] * 5 + [int(count), 0, 0])
        for total, count in zip((50_000, rows), drawn, strict=True)
    )
    reading = read(FEATURE_MISSING_RATIO, window, reference=reference)
    assert reading.noise is not None
    assert reading.normal is not None
    assert reading.value < reading.normal + 0.02 + 5 * reading.noise
    if share >= 0.05:
        true_error = sqrt(share * (1 - share) * (1 / rows + 1 / 50_000))
        assert reading.noise == pytest.approx(true_error, rel=0.2)
