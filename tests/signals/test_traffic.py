"""Counts and durations."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.signals.spec import Evidence
from mlvitals.signals.traffic import EVENT_LAG, PREDICTION_COUNT, REQUEST_LATENCY, duration_bounds
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
