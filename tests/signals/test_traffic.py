"""Counts, rates and durations."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nbinom, poisson

from mlvitals.decisions.thresholds import judge
from mlvitals.signals.proportion import wilson_interval
from mlvitals.signals.spec import Evidence, Status, Volume
from mlvitals.signals.traffic import (
    EVENT_LAG,
    PREDICTION_COUNT,
    PREDICTION_DUPLICATE_RATIO,
    PREDICTION_RATE,
    REQUEST_COUNT,
    REQUEST_ERROR_RATIO,
    REQUEST_LATENCY,
    duration_bounds,
    usual_limits,
)
from mlvitals.windows.histogram import duration_bins, duration_quantile


def test_failed_requests_are_not_predictions(layouts, fill):
    window = fill(layouts["binary"], {"predictions": 41, "errors": 5})
    (reading,) = PREDICTION_COUNT.compute(Evidence(current=window))
    assert (reading.value, reading.samples) == (41.0, 41)


@pytest.mark.parametrize(("statistic", "histogram"), [(REQUEST_LATENCY, "latency"), (EVENT_LAG, "lag")])
def test_each_quantile_is_within_its_bounds_of_the_order_statistic(layouts, fill, durations, statistic, histogram):
    seconds = np.random.default_rng(8).lognormal(mean=-3, sigma=2, size=1_001)
    window = fill(layouts["binary"], {histogram: durations(seconds)})
    readings = {reading.attributes["quantile"]: reading for reading in statistic.compute(Evidence(current=window))}
    assert list(readings) == ["0.5", "0.95", "0.99"]
    for name, reading in readings.items():
        exact = np.quantile(seconds, float(name), method="inverted_cdf")
        assert reading.lower <= exact <= reading.upper
        assert reading.value == pytest.approx(exact, rel=1 / 64)
        assert reading.samples == 1_001


def test_latency_and_lag_do_not_read_each_other(layouts, fill, durations):
    window = fill(layouts["binary"], {"latency": durations([1.0])})
    assert list(EVENT_LAG.compute(Evidence(current=window))) == []


@given(st.floats(2e-6, 1e8))
def test_bounds_are_the_ends_of_the_bin(seconds):
    (place,) = duration_bins(np.array([seconds]))
    middle = duration_quantile(np.eye(1, place + 1, place, dtype=np.int64)[0], 0.5)
    assert middle is not None
    lower, upper = duration_bounds(middle)
    assert lower is not None
    assert upper is not None
    ends = np.array([np.nextafter(lower, 0), lower, np.nextafter(upper, 0), upper])
    assert (duration_bins(ends) - place).tolist() == [-1, 0, 0, 1]


def test_a_clock_fault_leaves_the_lower_bound_open(layouts, fill, durations):
    window = fill(layouts["binary"], {"lag": durations([-5.0, -1.0, -3.0])})
    for reading in EVENT_LAG.compute(Evidence(current=window)):
        assert reading.lower is None
        assert reading.upper is not None


def test_a_duration_beyond_the_last_bin_leaves_the_upper_bound_open(layouts, fill, durations):
    window = fill(layouts["binary"], {"lag": durations([1e12])})
    for reading in EVENT_LAG.compute(Evidence(current=window)):
        assert reading.upper is None
        assert reading.lower is not None


def test_requests_are_predictions_and_failures(layouts, fill):
    window = fill(layouts["binary"], {"predictions": 95, "errors": 5})
    (count,) = REQUEST_COUNT.compute(Evidence(current=window))
    (ratio,) = REQUEST_ERROR_RATIO.compute(Evidence(current=window))
    assert (count.value, ratio.value, ratio.samples) == (100.0, 0.05, 100)
    assert (ratio.lower, ratio.upper) == wilson_interval(5, 100)


@pytest.mark.parametrize(
    ("served", "failed", "status"),
    [
        (29, 0, Status.INSUFFICIENT_DATA),
        (30, 0, Status.OK),
        (950, 50, Status.OK),  # at the bar, which an honest one in twenty passes half of the time
        (929, 71, Status.WARNING),  # 0.05 + 3·√(0.05·0.95 ÷ 1000) = 0.0707
        (930, 70, Status.OK),
        (0, 30, Status.WARNING),
    ],
)
def test_errors_warn_past_one_in_twenty_and_its_noise(layouts, fill, served, failed, status):
    window = fill(layouts["binary"], {"predictions": served, "errors": failed})
    (reading,) = REQUEST_ERROR_RATIO.compute(Evidence(current=window))
    assert judge(REQUEST_ERROR_RATIO.spec, reading)[0] is status


def test_repeats_are_a_share_of_all_rows_of_the_window(layouts, fill):
    window = fill(layouts["binary"], {"predictions": 70, "errors": 10})
    assert list(PREDICTION_DUPLICATE_RATIO.compute(Evidence(current=window))) == []
    for repeats in (0, 20):
        (reading,) = PREDICTION_DUPLICATE_RATIO.compute(Evidence(current=window, repeats=repeats))
        assert (reading.value, reading.samples) == (repeats / (80 + repeats), 80 + repeats)


def rate(layouts, fill, served, *, others=0, usual=None):
    evidence = Evidence(
        current=fill(layouts["binary"], {"predictions": served}),
        others=fill(layouts["binary"], {"predictions": others}) if others else None,
        seconds=3600.0,
        volume=usual,
    )
    (reading,) = PREDICTION_RATE.compute(evidence)
    return reading, judge(PREDICTION_RATE.spec, reading)[:2]


USUAL = Volume(expected=1000.0, noise=100.0, windows=4)


def test_a_rate_is_told_but_not_judged_until_it_is_known_what_is_usual(layouts, fill):
    reading, (status, threshold) = rate(layouts, fill, 720)
    assert (reading.value, status, threshold) == (0.2, Status.INSUFFICIENT_DATA, None)


@pytest.mark.parametrize(
    ("served", "status"),
    # ln 2 + 3 · 100 ÷ 1000.5 = 0.993: between 1000 ÷ 2.7 and 1000 · 2.7
    [
        (0, Status.WARNING),
        (370, Status.WARNING),
        (371, Status.OK),
        (1000, Status.OK),
        (2700, Status.OK),
        (2701, Status.WARNING),
    ],
)
def test_a_rate_warns_past_half_or_twice_the_usual_and_its_noise(layouts, fill, served, status):
    reading, (said, threshold) = rate(layouts, fill, served, usual=USUAL)
    assert said is status
    assert threshold == pytest.approx((370.1 if served < 1000 else 2701.0) / 3600, rel=1e-3)
    assert reading.evidence["ratio"] == served / 1000
    assert reading.evidence["expected"] == 1000 / 3600


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_version_is_judged_by_what_the_whole_model_serves(layouts, fill, share):
    for total, status in ((1000, Status.OK), (300, Status.WARNING), (3000, Status.WARNING)):
        served = round(total * share)
        reading, (said, _) = rate(layouts, fill, served, others=total - served, usual=USUAL)
        assert said is status
        assert reading.value == served / 3600
        assert reading.evidence["model"] == total / 3600


def test_nothing_is_said_of_a_version_that_serves_nothing_while_others_do(layouts, fill):
    assert rate(layouts, fill, 0, others=1000, usual=USUAL)[1] == (Status.NO_DATA, None)


@pytest.mark.parametrize("expected", [0.0, 3.0, 9.9])
def test_where_little_is_usual_there_is_no_verdict(layouts, fill, expected):
    usual = Volume(expected=expected, noise=sqrt(expected), windows=4)
    assert rate(layouts, fill, 0, usual=usual)[1] == (Status.INSUFFICIENT_DATA, None)


@pytest.mark.parametrize("expected", [10.0, 30.0, 1000.0])
def test_counts_as_usual_seldom_warn_and_an_outage_always_does(expected):
    low, high = usual_limits(Volume(expected=expected, noise=sqrt(expected), windows=1_000))
    assert poisson.cdf(low, expected) + poisson.sf(high - 1, expected) < 1e-3
    # Far overdispersed: windows differ by a third of their mean. No linear three sigma could see an outage there.
    low, high = usual_limits(Volume(expected=expected, noise=sqrt(expected + (expected / 3) ** 2), windows=1_000))
    assert low > 0
    variance = expected + (expected / 3) ** 2
    chance = nbinom(expected**2 / (variance - expected), expected / variance)
    assert chance.cdf(low) + chance.sf(high - 1) < 2e-3


def test_limits_are_numbers_for_any_noise():
    low, high = usual_limits(Volume(expected=10.0, noise=1e9, windows=2))
    assert -0.5 <= low < high < 1e30
