"""What a reference lets the detectors promise, as a person reads it."""

import numpy as np
import pytest

from mlvitals.clock import HOUR, WEEK
from mlvitals.decisions.finding import Detector
from mlvitals.decisions.promises import promises, whole_windows
from mlvitals.windows.bins import NumericBins
from mlvitals.windows.layout import FeatureLayout, Kind, Layout, OutputLayout, Task
from mlvitals.windows.reference import Reference
from mlvitals.windows.summary import Summary
from tests.decisions.histories import hours

BINS = NumericBins((0.0, 1.0, 2.0))
TRAFFIC = (Detector.VOLUME, Detector.ERRORS)
COLUMNS = (Detector.FEATURE, Detector.FEATURES)
LABELLED = (Detector.COVERAGE, Detector.PERFORMANCE)


def reference(windows, *, complete=True, features=2, score=BINS, skipped=()):
    """Return a reference of so many hours, but for those that are skipped."""
    named = tuple(FeatureLayout(f"f{place}", Kind.NUMERIC, BINS) for place in range(features))
    layout = Layout(features=named, output=OutputLayout(Task.REGRESSION, score=score))
    empty = Summary.empty(layout)
    starts = np.delete(hours(windows), skipped).tolist()
    return Reference(
        model="m",
        version="",
        window="1h",
        complete=complete,
        summary=empty,
        series=dict.fromkeys(reversed(starts), empty.served),
    )


def by_detectors(one):
    return {promise.detectors: promise for promise in promises(one)}


def test_windows_that_may_be_cut_off_do_not_count_and_the_rest_are_in_order():
    assert whole_windows(reference(5)).tolist() == hours(5).tolist()[1:-1]
    assert whole_windows(reference(1)).tolist() == []


def test_two_weeks_of_all_that_was_served_hold_from_the_first_window_but_for_labels():
    told = by_detectors(reference(2 * WEEK // HOUR + 2))
    assert list(told) == [TRAFFIC, COLUMNS, (Detector.PREDICTION,), LABELLED]
    *served, labelled = told.values()
    assert all(promise.mode is not None and promise.mode.full for promise in served)
    assert served[0].words == (
        "336 windows over 2.0 weeks; season by hour of the day and day of the week; "
        "the budget holds from the first window, as far as these show what is usual"
    )
    assert labelled.mode is None


def test_less_than_two_weeks_are_told_to_be_short():
    promise = by_detectors(reference(2 * WEEK // HOUR + 1))[COLUMNS]
    assert promise.mode is not None
    assert not promise.mode.full
    assert "short: what changes from week to week was not seen" in promise.words


def test_a_sample_promises_nothing_of_the_volume_and_all_of_features():
    told = by_detectors(reference(400, complete=False))
    assert told[TRAFFIC].mode is None
    assert told[TRAFFIC].words == (
        "a sample shows no volume: what is usual is learnt from the first 2 weeks served, of 9 windows at least; "
        "nothing pages until then"
    )
    assert told[COLUMNS].mode is not None


@pytest.mark.parametrize(
    ("windows", "why"),
    [(0, "windows of the reference are not known"), (10, "only 8 whole windows")],
)
def test_of_too_few_windows_nothing_is_promised_and_it_is_told_why(windows, why):
    told = by_detectors(reference(windows))
    assert all(promise.mode is None for promise in told.values())
    assert told[COLUMNS].words.startswith(f"{why}: what is usual is learnt from the first 2 weeks")
    assert told[TRAFFIC].words.startswith(why)


def test_nine_whole_windows_are_enough_and_tell_no_season():
    promise = by_detectors(reference(11))[COLUMNS]
    assert promise.words.startswith("9 windows over 0.1 weeks; no season told apart; short: ")


def test_only_detectors_that_the_model_has_are_told():
    assert list(by_detectors(reference(400, features=0, score=None))) == [TRAFFIC, LABELLED]
    assert list(by_detectors(reference(400, features=1)))[1] == (Detector.FEATURE,)
