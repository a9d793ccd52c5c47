"""Feature drift and skew, with the traps that real features set."""

from dataclasses import replace

import pytest

from mlvitals.decisions.thresholds import judge
from mlvitals.signals.feature_drift import (
    FEATURE_DRIFT_LOCATION,
    FEATURE_DRIFT_SCORE,
    FEATURE_DRIFT_SHAPE,
    FEATURE_DRIFT_SPREAD,
    FEATURE_SKEW_LOCATION,
    FEATURE_SKEW_SCORE,
    FEATURE_SKEW_SHAPE,
    FEATURE_SKEW_SPREAD,
)
from mlvitals.signals.spec import Evidence, Reading, Status
from mlvitals.windows.bins import NumericBins
from mlvitals.windows.layout import FeatureLayout, Kind, Layout

ALL = (
    FEATURE_DRIFT_LOCATION,
    FEATURE_DRIFT_SPREAD,
    FEATURE_DRIFT_SHAPE,
    FEATURE_DRIFT_SCORE,
    FEATURE_SKEW_LOCATION,
    FEATURE_SKEW_SPREAD,
    FEATURE_SKEW_SHAPE,
    FEATURE_SKEW_SCORE,
)

# Cells: amount has 5 bins, risk 5 with `= 0` second, constant 3 with `= 7` second, channel 3; three specials follow.
REFERENCE = {
    "features.amount": [200, 200, 200, 200, 200, 0, 0, 0],
    "features.risk": [0, 900, 40, 40, 20, 0, 0, 0],
    "features.constant": [0, 1_000, 0, 0, 0, 0],
    "features.channel": [500, 300, 200, 0, 0, 0],
    "features.void": [0, 1_000, 0, 0],
}


@pytest.fixture
def compare(layouts, fill):
    """Return the readings of a statistic for a window with these features, by feature and method."""

    def readings(statistic, **served) -> dict[tuple[str, str | None], Reading]:
        layout = layouts["binary"]
        parts = {f"features.{name}": counts for name, counts in served.items()}
        evidence = Evidence(current=fill(layout, parts), reference=fill(layout, REFERENCE))
        return {(one.attributes["feature"], one.attributes.get("method")): one for one in statistic.compute(evidence)}

    return readings


def test_a_zero_inflated_feature_that_falls_wholly_to_zero_is_seen(compare):
    outage = {"risk": [0, 3_000, 0, 0, 0, 0, 0, 0]}
    psi = compare(FEATURE_DRIFT_SCORE, **outage)["risk", "psi"]
    assert psi.lower is not None
    assert psi.lower > 0.1
    assert judge(FEATURE_DRIFT_SCORE.spec, psi)[0] is Status.WARNING
    location = compare(FEATURE_DRIFT_LOCATION, **outage)["risk", None]
    assert location.noise is not None
    assert location.value < -5 * location.noise


def test_a_zero_inflated_feature_that_stays_as_it_is_is_quiet(compare):
    usual = {"risk": [0, 2_700, 120, 120, 60, 0, 0, 0]}
    assert compare(FEATURE_DRIFT_LOCATION, **usual)["risk", None].value == 0.0
    assert abs(compare(FEATURE_DRIFT_SCORE, **usual)["risk", "psi"].value) < 0.01


def test_a_constant_feature_is_silent_while_constant(compare):
    still = {"constant": [0, 3_000, 0, 0, 0, 0]}
    location = compare(FEATURE_DRIFT_LOCATION, **still)["constant", None]
    assert location.value == 0.0
    assert judge(FEATURE_DRIFT_LOCATION.spec, location)[0] is Status.OK
    scores = compare(FEATURE_DRIFT_SCORE, **still)
    assert scores["constant", "psi"].value == scores["constant", "ks"].value == 0.0


def test_a_constant_feature_that_comes_alive_warns(compare):
    alive = {"constant": [300, 100, 600, 0, 0, 0]}
    location = compare(FEATURE_DRIFT_LOCATION, **alive)["constant", None]
    assert judge(FEATURE_DRIFT_LOCATION.spec, location)[0] is Status.WARNING
    psi = compare(FEATURE_DRIFT_SCORE, **alive)["constant", "psi"]
    assert judge(FEATURE_DRIFT_SCORE.spec, psi)[0] is Status.WARNING


def test_a_constant_feature_that_spreads_evenly_has_not_moved_but_differs(compare):
    spread = {"constant": [500, 0, 500, 0, 0, 0]}
    assert compare(FEATURE_DRIFT_LOCATION, **spread)["constant", None].value == pytest.approx(0, abs=1e-9)
    psi = compare(FEATURE_DRIFT_SCORE, **spread)["constant", "psi"]
    assert judge(FEATURE_DRIFT_SCORE.spec, psi)[0] is Status.WARNING


def test_a_feature_that_was_always_missing_has_no_location_but_warns_once_it_has_values(compare):
    filled = {"void": [1_000, 0, 0, 0]}
    assert ("void", None) not in compare(FEATURE_DRIFT_LOCATION, **filled)
    scores = compare(FEATURE_DRIFT_SCORE, **filled)
    assert ("void", "ks") not in scores
    assert judge(FEATURE_DRIFT_SCORE.spec, scores["void", "psi"])[0] is Status.WARNING
    assert scores["void", "psi"].evidence["bin"] in {"any", "missing"}


def test_a_feature_that_goes_missing_has_no_location_but_warns(compare):
    gone = {"amount": [0, 0, 0, 0, 0, 1_000, 0, 0]}
    assert ("amount", None) not in compare(FEATURE_DRIFT_LOCATION, **gone)
    psi = compare(FEATURE_DRIFT_SCORE, **gone)["amount", "psi"]
    assert judge(FEATURE_DRIFT_SCORE.spec, psi)[0] is Status.WARNING
    assert psi.evidence["bin"] == "missing"


def test_a_tiny_window_is_told_but_not_judged(compare):
    tiny = {"amount": [20, 2, 9, 11, 4, 0, 0, 0]}
    for statistic in (FEATURE_DRIFT_LOCATION, FEATURE_DRIFT_SCORE):
        readings = compare(statistic, **tiny)
        assert readings
        for reading in readings.values():
            assert reading.samples == 46
            assert judge(statistic.spec, reading)[0] is Status.INSUFFICIENT_DATA


def test_a_category_that_is_new_is_named(compare):
    psi = compare(FEATURE_DRIFT_SCORE, channel=[250, 150, 100, 0, 0, 500])["channel", "psi"]
    assert psi.evidence["bin"] == "other or unseen"


def test_a_category_that_is_new_is_not_a_distance(compare):
    assert ("channel", "ks") not in compare(FEATURE_DRIFT_SCORE, channel=[250, 150, 100, 0, 0, 500])


def test_a_feature_without_rows_is_passed_over_and_the_others_are_read(compare):
    readings = compare(FEATURE_DRIFT_LOCATION, amount=[100, 100, 100, 100, 100, 0, 0, 0])
    assert list(readings) == [("amount", None)]


def test_drift_is_read_against_normal_production_and_skew_against_training(layouts, fill):
    layout = layouts["binary"]
    window = fill(layout, {"features.amount": [300, 200, 200, 200, 100, 0, 0, 0]})
    operating = fill(layout, REFERENCE)
    evidence = Evidence(current=window, reference=operating, training=window)
    (drift,) = FEATURE_DRIFT_LOCATION.compute(evidence)
    (skew,) = FEATURE_SKEW_LOCATION.compute(evidence)
    assert (drift.attributes["comparison"], skew.attributes["comparison"]) == ("operating", "training")
    assert drift.value < 0
    assert skew.value == 0.0


@pytest.mark.parametrize("statistic", ALL, ids=[statistic.spec.name for statistic in ALL])
def test_without_a_reference_or_under_another_layout_nothing_is_said(layouts, fill, statistic):
    layout = layouts["binary"]
    served = {"features.amount": [300, 200, 200, 200, 100, 0, 0, 0]}
    other = Layout(
        features=(FeatureLayout("amount", Kind.NUMERIC, NumericBins((10.0, 20.0, 30.0, 51.0))), *layout.features[1:]),
        output=layout.output,
    )
    evidence = Evidence(current=fill(layout, served))
    assert list(statistic.compute(evidence)) == []
    stranger = fill(other, REFERENCE)
    assert list(statistic.compute(replace(evidence, reference=stranger, training=stranger))) == []
    equal = fill(Layout(features=layout.features, output=layout.output), REFERENCE)
    assert list(statistic.compute(replace(evidence, reference=equal, training=equal)))


def test_drift_is_read_against_the_window_before_and_the_other_versions_too_and_only_normal_production_warns(
    layouts, fill
):
    layout = layouts["binary"]
    window = fill(layout, {"features.amount": [600, 200, 100, 60, 40, 0, 0, 0]})
    usual = fill(layout, REFERENCE)
    evidence = Evidence(current=window, reference=usual, previous=usual, others=usual)
    for statistic in (FEATURE_DRIFT_LOCATION, FEATURE_DRIFT_SCORE):
        readings = [one for one in statistic.compute(evidence) if one.attributes.get("method", "psi") == "psi"]
        verdicts = {one.attributes["comparison"]: judge(statistic.spec, one)[:2] for one in readings}
        assert set(verdicts) == {"operating", "previous", "version"}
        assert verdicts["operating"][0] is Status.WARNING
        assert verdicts["previous"] == verdicts["version"] == (Status.OK, None)
        assert len({one.value for one in readings}) == 1


def test_between_two_windows_the_noise_is_that_of_both(layouts, fill):
    layout = layouts["binary"]
    window = fill(layout, {"features.amount": [20, 20, 20, 20, 20, 0, 0, 0]})
    evidence = Evidence(current=window, reference=fill(layout, REFERENCE), previous=window)
    noise = {one.attributes["comparison"]: one.noise for one in FEATURE_DRIFT_LOCATION.compute(evidence)}
    assert noise["previous"] == pytest.approx((1 / 100 + 1 / 100) ** 0.5)
    assert noise["operating"] == pytest.approx((1 / 100 + 1 / 1_000) ** 0.5)


@pytest.mark.parametrize("kind", [Kind.IDENTIFIER, Kind.CALENDAR])
def test_features_whose_distribution_means_nothing_do_not_drift(layouts, fill, kind):
    bins = NumericBins((10.0, 20.0, 30.0))
    layout = Layout(
        features=(FeatureLayout("day", kind, bins), FeatureLayout("amount", Kind.NUMERIC, bins)),
        output=layouts["binary"].output,
    )
    counts = {"features.day": [0, 9, 1, 0, 0, 0, 0], "features.amount": [0, 5, 5, 0, 0, 0, 0]}
    window = fill(layout, counts)
    for statistic in (FEATURE_DRIFT_LOCATION, FEATURE_DRIFT_SHAPE, FEATURE_DRIFT_SCORE):
        assert {one.attributes["feature"] for one in statistic.compute(Evidence(current=window, reference=window))} <= {
            "amount"
        }


def test_features_are_compared_though_the_versions_bin_their_scores_differently(layouts, fill):
    layout, other = layouts["binary"], layouts["regression"]
    window, training = fill(layout, REFERENCE), fill(other, REFERENCE)
    readings = list(FEATURE_SKEW_SCORE.compute(Evidence(current=window, training=training)))
    assert {one.attributes["feature"] for one in readings} == {"amount", "risk", "constant", "channel", "void"}
    assert all(one.value <= 0 for one in readings if one.attributes["method"] in {"psi", "linf", "tvd"})


def test_a_category_has_a_shape_and_neither_location_nor_spread(compare):
    moved = {"channel": [200, 300, 500, 0, 0, 0]}
    assert compare(FEATURE_DRIFT_SHAPE, **moved)["channel", None].value > 0.1
    assert compare(FEATURE_DRIFT_SPREAD, **moved) == {}
    assert compare(FEATURE_DRIFT_LOCATION, **moved) == {}


def test_a_feature_that_spreads_has_a_spread_and_no_location(compare):
    wide = {"amount": [300, 150, 100, 150, 300, 0, 0, 0]}
    spread = compare(FEATURE_DRIFT_SPREAD, **wide)["amount", None]
    assert spread.noise is not None
    assert spread.value > 5 * spread.noise
    assert abs(compare(FEATURE_DRIFT_LOCATION, **wide)["amount", None].value) < 0.01
