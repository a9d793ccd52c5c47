"""What follows from the judged measurements of a window."""

from math import sqrt

import pytest

from mlvitals.decisions.thresholds import judge
from mlvitals.signals.alert_count import FEATURE_ALERT_COUNT
from mlvitals.signals.drift_worst import FEATURE_DRIFT_WORST
from mlvitals.signals.measure import derive
from mlvitals.signals.measurement import Measurement
from mlvitals.signals.registry import DERIVED, REGISTRY
from mlvitals.signals.signal_status import SIGNAL_STATUS, STATES, family_status
from mlvitals.signals.spec import Reading, Status

LOCATION, SHAPE = "mlvitals.feature.drift.location", "mlvitals.feature.drift.shape"
PSI = "mlvitals.prediction.drift.score"


def measurement(
    signal, value, status=Status.OK, *, threshold=None, noise=0.05, samples=500, **attributes
) -> Measurement:
    return Measurement(
        signal=signal,
        value=value,
        unit=REGISTRY[signal].unit,
        model="m",
        model_version="1",
        environment="prod",
        window_start="2026-01-01T00:00:00Z",
        window_end="2026-01-01T01:00:00Z",
        attributes={"comparison": "operating", **attributes},
        samples=samples,
        reference_samples=9_000,
        lower=None,
        upper=None,
        status=status,
        threshold=threshold,
        evidence={"noise": noise},
        revision=0,
        reference_hash=None,
    )


def worst(*measurements) -> dict[str, Reading]:
    return {one.attributes["comparison"]: one for one in FEATURE_DRIFT_WORST.compute(measurements, REGISTRY)}


def states(*measurements) -> dict[str, float]:
    return {one.attributes["family"]: one.value for one in SIGNAL_STATUS.compute(measurements, REGISTRY)}


def test_the_worst_is_the_largest_shift_either_way_and_is_named():
    found = worst(measurement(LOCATION, 0.4, feature="a"), measurement(LOCATION, -0.9, feature="b", noise=0.1))[
        "operating"
    ]
    assert (found.value, found.noise, found.evidence["feature"]) == (0.9, 0.1, "b")
    status, threshold = judge(FEATURE_DRIFT_WORST.spec, found)[:2]
    assert status is Status.WARNING
    assert threshold == pytest.approx(0.8)


def test_a_category_competes_by_the_shift_of_its_best_scores_and_a_number_s_shape_does_not():
    number = measurement(LOCATION, 0.4, feature="a"), measurement(SHAPE, 2.0, feature="a")
    found = worst(*number, measurement(SHAPE, 0.36, feature="c", noise=0.03))["operating"]
    assert found.value == pytest.approx(0.6)
    assert found.evidence == {"feature": "c", "features": 2.0, "noise": pytest.approx(0.1)}
    three = worst(measurement(SHAPE, 0.0, feature="c", noise=0.03))["operating"].noise
    assert three is not None
    assert (3 * three) ** 2 == pytest.approx(3 * 0.03), "three of them are the root of three standard errors"
    assert worst(measurement(SHAPE, -0.1, feature="c"))["operating"].value == 0.0


def test_two_categories_that_trade_places_have_moved_as_a_number_that_takes_two_values():
    # q = (½ + e, ½ - e) against (½, ½): scores ±1 move by 2e standard deviations, and so says √Σ(q - p)² ÷ p.
    assert sqrt(2 * 0.1**2 / 0.5) == pytest.approx(2 * 0.1)


def test_a_feature_with_few_rows_is_the_worst_only_where_no_other_is():
    rare = measurement(LOCATION, 3.0, Status.INSUFFICIENT_DATA, feature="rare", samples=20)
    assert worst(rare, measurement(LOCATION, 0.1, feature="a"))["operating"].evidence["feature"] == "a"
    alone = worst(rare)["operating"]
    assert judge(FEATURE_DRIFT_WORST.spec, alone)[0] is Status.INSUFFICIENT_DATA


def test_each_comparison_has_its_worst_and_only_normal_production_warns():
    found = worst(
        measurement(LOCATION, 0.1, feature="a"), measurement(LOCATION, 5.0, feature="a", comparison="previous")
    )
    assert {name: one.value for name, one in found.items()} == {"operating": 0.1, "previous": 5.0}
    assert judge(FEATURE_DRIFT_WORST.spec, found["previous"])[:2] == (Status.OK, None)


def counted(*measurements) -> list[Reading]:
    return list(FEATURE_ALERT_COUNT.compute(measurements, REGISTRY))


def test_a_feature_that_warns_twice_counts_once():
    (found,) = counted(
        measurement(LOCATION, 0.9, Status.WARNING, threshold=0.6, feature="b"),
        measurement("mlvitals.feature.drift.score", 0.9, Status.ALERT, threshold=0.3, feature="b", method="psi"),
        measurement(LOCATION, 0.7, Status.WARNING, threshold=0.6, feature="a"),
        measurement(LOCATION, 0.1, threshold=0.6, feature="c"),
        measurement(PSI, 0.9, Status.WARNING, threshold=0.3, method="psi"),
    )
    assert found.value == 2
    assert found.evidence == {"names": "a, b", "features": 3.0}


def test_without_any_verdict_there_is_no_count():
    assert counted(measurement(LOCATION, 0.9, Status.INSUFFICIENT_DATA, threshold=0.6, feature="b")) == []
    assert counted(measurement(LOCATION, 0.1, feature="c")) == []
    (none,) = counted(measurement(LOCATION, 0.1, threshold=0.6, feature="c"))
    assert none.value == 0


@pytest.mark.parametrize(
    ("statuses", "served", "status"),
    [
        ([Status.OK, Status.ALERT, Status.WARNING], True, Status.ALERT),
        ([Status.OK, Status.WARNING], True, Status.WARNING),
        ([Status.OK, Status.INSUFFICIENT_DATA], True, Status.OK),
        ([Status.INSUFFICIENT_DATA], True, Status.INSUFFICIENT_DATA),
        ([], True, Status.INSUFFICIENT_DATA),
        ([], False, Status.NO_DATA),
    ],
)
def test_a_family_is_as_grave_as_its_gravest_verdict(statuses, served, status):
    assert family_status(statuses, served=served) is status


def test_each_family_has_its_number_and_the_word_is_its_status():
    measurements = (
        measurement(LOCATION, 0.9, Status.WARNING, threshold=0.6, feature="b"),
        measurement(PSI, 0.1, threshold=0.3, method="psi"),
    )
    assert states(*measurements)["data"] == 1
    assert states(*measurements)["model"] == 0
    readings = {one.attributes["family"]: one for one in SIGNAL_STATUS.compute(measurements, REGISTRY)}
    assert judge(SIGNAL_STATUS.spec, readings["data"])[:2] == (Status.WARNING, None)
    assert readings["data"].evidence == {"signals": LOCATION}


def test_what_nothing_judged_is_not_ok():
    quiet = measurement("mlvitals.prediction.class.ratio", 0.5, **{"class": "1"})
    assert states(quiet)["data"] == states(quiet)["model"] == -1
    assert set(states(measurement("mlvitals.prediction.count", 0.0, samples=0)).values()) == {-2}


def test_every_status_has_a_number_of_its_own():
    assert set(STATES) == set(Status)
    assert len(set(STATES.values())) == len(Status)


def test_what_follows_is_yielded_in_registry_order_with_exactly_the_declared_attributes():
    readings = list(
        derive(
            [
                measurement(LOCATION, 0.9, Status.WARNING, threshold=0.6, feature="b"),
                measurement(PSI, 0.1, threshold=0.3, method="psi"),
            ]
        )
    )
    names = [spec.name for spec, _ in readings]
    assert list(dict.fromkeys(names)) == [derived.spec.name for derived in DERIVED]
    assert all(set(reading.attributes) == set(spec.attributes) for spec, reading in readings)
