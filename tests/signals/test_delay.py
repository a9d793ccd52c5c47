"""How late labels come, by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.clock import DAY, HOUR, SECOND
from mlvitals.contracts.evidence import fill
from mlvitals.signals.delay import LABEL_DELAY, LABEL_EARLY_RATIO, delay_quantile
from mlvitals.signals.spec import Evidence
from mlvitals.windows.bins import CategoryBins
from mlvitals.windows.delays import DELAY_BINS, delay_bins
from mlvitals.windows.layout import Layout, OutputLayout, Task

BINARY = Layout(features=(), output=OutputLayout(task=Task.BINARY, classes=CategoryBins(("0", "1"), own=2)))


def delays(ages):
    return np.bincount(delay_bins(np.array(ages, dtype=np.int64)), minlength=DELAY_BINS)


def evidence(ages, served):
    current = fill(BINARY, {"predictions": served}, [{"labelled": len(ages), "delays": delays(ages)}])
    return Evidence(current=current, outcome=current.outcome(0), maturity="7d")


def test_a_quantile_is_on_the_line_through_the_bin_that_it_is_in():
    found = delay_quantile(delays([HOUR] * 50 + [2 * DAY] * 50), 100, 0.75)
    assert found is not None
    value, lower, upper = found
    assert value == 1.5 * DAY / SECOND
    assert (lower, upper) == (DAY / SECOND, 2 * DAY / SECOND)


def test_what_has_no_label_counts_as_later_than_all_that_have_one():
    assert delay_quantile(delays([HOUR] * 40), 100, 0.5) is None
    found = delay_quantile(delays([HOUR] * 50), 100, 0.5)
    assert found is not None
    assert found[0] == HOUR / SECOND
    assert found[2] is None  # of a hundred more it might be fewer than half
    assert delay_quantile(delays([]), 0, 0.5) is None


@given(st.lists(st.integers(-DAY, 400 * DAY), min_size=1, max_size=80), st.integers(0, 80), st.floats(0.05, 0.95))
def test_a_quantile_is_within_its_interval_and_in_the_bin_of_the_true_one(ages, more, share):
    served = len(ages) + more
    found = delay_quantile(delays(ages), served, share)
    assert (found is None) == (len(ages) < share * served)
    if found is not None:
        value, lower, upper = found
        assert lower <= value <= (np.inf if upper is None else upper)
        true = sorted(ages)[int(np.ceil(share * served)) - 1]
        inside = delay_bins(np.array([true, round(value * SECOND)], dtype=np.int64))
        assert abs(int(inside[0]) - int(inside[1])) <= 1


def test_early_labels_are_a_share_of_the_labels():
    (reading,) = LABEL_EARLY_RATIO.compute(evidence([-HOUR] * 10 + [HOUR] * 30, 200))
    assert (reading.value, reading.samples) == (0.25, 40)
    assert reading.lower == pytest.approx(0.142, abs=1e-3)
    assert not [*LABEL_EARLY_RATIO.compute(evidence([], 200))]


def test_delays_are_told_at_a_maturity_and_not_as_the_window_closes():
    known = evidence([HOUR] * 95, 100)
    assert [one.attributes["quantile"] for one in LABEL_DELAY.compute(known)] == ["0.25", "0.5", "0.75", "0.9"]
    for statistic in (LABEL_DELAY, LABEL_EARLY_RATIO):
        assert not [*statistic.compute(replace(known, outcome=None, maturity=None))]
