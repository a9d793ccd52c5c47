"""A reference judged by itself: quiet weeks hold the promise, weeks that differ refute it, short ones say nothing."""

from dataclasses import replace
from fractions import Fraction

import msgspec
import numpy as np
import pytest

from mlvitals.clock import WEEK
from mlvitals.decisions.allocation import DEFAULT_WEIGHTS, ModelDemand, allocate
from mlvitals.decisions.ensemble import Rule
from mlvitals.decisions.poisson import rate_interval
from mlvitals.decisions.selfcheck import SelfCheck, Tally, check_itself
from mlvitals.windows.layout import FeatureLayout, Kind, Layout, OutputLayout, Task
from mlvitals.windows.reference import Reference
from mlvitals.windows.summary import Summary
from mlvitals.windows.window import WindowSize
from tests.decisions.histories import MONDAY, NUMERIC, draw, shares

ROWS = 300
SIZE = WindowSize.parse("4h")
A_WEEK = WEEK // SIZE.length
RULE = Rule(size=SIZE, tolerance=0.02, min_effect=0.1)
FEATURES = tuple(FeatureLayout(f"f{place}", Kind.NUMERIC, NUMERIC) for place in range(2))


def budget(pages=0.5):
    names = [feature.name for feature in FEATURES]
    demand = ModelDemand(name="m", weight=1.0, windows_per_week=42.0, features=names, versions=1)
    return allocate(pages, DEFAULT_WEIGHTS, [demand])["m"]


def reference(windows, *, moved=lambda _: 0.0, complete=True):
    """Return a reference of windows of four hours; `moved` says by the week how far the first feature is tilted."""
    random = np.random.default_rng(7)
    layout = Layout(features=FEATURES, output=OutputLayout(Task.REGRESSION, score=NUMERIC))
    scores = np.linspace(-1.6, 1.6, NUMERIC.size)
    series = {}
    for place, start in enumerate(range(MONDAY, MONDAY + windows * SIZE.length, SIZE.length)):
        served = Summary.empty(layout).served
        served[layout.served_sections["predictions"]] = ROWS
        for number, feature in enumerate(FEATURES):
            chances = shares(NUMERIC)
            chances[: NUMERIC.size] *= np.exp(moved(place // A_WEEK) * scores) if number == 0 else 1.0
            served[layout.served_sections[feature.column]] = draw(random, chances / chances.sum(), ROWS)
        served[layout.served_sections["score"]] = draw(random, shares(NUMERIC), ROWS)
        series[start] = served
    return Reference(
        model="m", version="", window=SIZE.text, complete=complete, summary=Summary.empty(layout), series=series
    )


def test_quiet_weeks_hold_the_promise():
    found = check_itself(reference(3 * A_WEEK + 2), budget(), RULE)
    assert found is not None
    assert found.weeks == 3
    assert list(found.detectors) == ["volume", "errors", "feature", "features", "prediction"]
    assert found.alarms == 0
    assert not found.refuted
    assert found.detectors[found.worst].excess == max(one.excess for one in found.detectors.values()) < 0
    promised = sum((one.pages_per_week for one in budget().allotments.values()), Fraction(0)) * 3
    assert found.promised == pytest.approx(float(promised))
    assert found.words.startswith("0 false alarms in 3.0 weeks of windows, each judged by what the others teach; ")


def test_a_week_that_differs_from_the_others_is_an_alarm_of_its_feature_alone():
    found = check_itself(reference(3 * A_WEEK + 2, moved=lambda week: 0.5 * (week == 1)), budget(), RULE)
    assert found is not None
    assert {name for name, one in found.detectors.items() if one.alarms} <= {"feature", "features"}
    assert found.detectors["feature"].alarms >= 1
    assert found.detectors["feature"].excess > 0


def test_weeks_are_those_of_windows_that_there_are():
    whole = reference(4 * A_WEEK + 2)
    sparse = replace(whole, series=dict(list(whole.series.items())[::2]))
    found = check_itself(sparse, budget(), RULE)
    assert found is not None
    assert found.weeks == (2 * A_WEEK - 1) / A_WEEK
    assert found.words.startswith("0 false alarms in 2.0 weeks")


def test_a_sample_has_no_volume_to_check():
    found = check_itself(reference(2 * A_WEEK + 2, complete=False), budget(), RULE)
    assert found is not None
    assert list(found.detectors) == ["feature", "features", "prediction"]


@pytest.mark.parametrize("windows", [0, 2, 9, 2 * A_WEEK + 1])
def test_of_less_than_two_weeks_nothing_is_said(windows):
    assert check_itself(reference(windows), budget(), RULE) is None


def tallied(alarms, promised, weeks=4.0):
    tally = Tally(alarms=alarms, promised=promised, excess=-1.0)
    return SelfCheck(weeks=weeks, detectors={"feature": tally})


@pytest.mark.parametrize(
    ("alarms", "promised", "refuted"),
    # 95 % limits of Poisson counts: 1 may be of a mean as low as 0.025, 5 of 1.62, 6 of 2.20.
    [(0, 0.0, False), (1, 0.02, True), (1, 0.03, False), (5, 1.6, True), (5, 1.7, False), (6, 2.3, False)],
)
def test_a_promise_is_refuted_where_chance_hardly_explains_the_alarms(alarms, promised, refuted):
    found = tallied(alarms, promised)
    assert found.refuted is refuted
    assert ("more than the promise allows" in found.words) is refuted
    assert found.interval == rate_interval(alarms, alarms, 4.0)


def test_it_is_kept_as_text_and_read_back():
    found = check_itself(reference(2 * A_WEEK + 2), budget(), RULE)
    assert msgspec.json.decode(msgspec.json.encode(found), type=SelfCheck) == found
