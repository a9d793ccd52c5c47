"""Plain thresholds, on both sides and at them."""

from math import inf, nextafter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.decisions.thresholds import judge
from mlvitals.signals.spec import Export, Layer, MetricSpec, Orientation, Reading, Stage, Status


def spec(**changes) -> MetricSpec:
    return MetricSpec(
        name="mlvitals.feature.drift.example",
        unit="{score}",
        brief="An example.",
        layer=Layer.DATA,
        stage=Stage.WINDOW,
        level=Export.FULL,
        **{
            "orientation": Orientation.LOWER,
            "attributes": ("method",),
            "minimum_samples": 100,
            "warning": 0.5,
            **changes,
        },
    )


def reading(value: float, **changes) -> Reading:
    return Reading(value=value, **{"samples": 100, "attributes": {"method": "psi"}, **changes})


every_noise = pytest.mark.parametrize(("noise", "excess"), [(None, 0.5), (0.0, 0.5), (0.125, 0.875)])


@pytest.mark.parametrize("sign", [1, -1])
@every_noise
def test_where_neither_way_is_better_a_value_warns_at_its_threshold_on_both_sides(sign, noise, excess):
    either = spec(orientation=Orientation.NEITHER)
    assert judge(either, reading(sign * excess, noise=noise)) == (Status.WARNING, excess)
    assert judge(either, reading(sign * nextafter(excess, inf), noise=noise)) == (Status.WARNING, excess)
    assert judge(either, reading(sign * nextafter(excess, 0), noise=noise)) == (Status.OK, excess)


@pytest.mark.parametrize("normal", [0.0, 0.25, -1.0])
@every_noise
def test_a_value_warns_where_it_is_worse_than_normal_by_its_threshold_and_not_where_it_is_better(normal, noise, excess):
    for orientation, way in ((Orientation.LOWER, 1), (Orientation.HIGHER, -1)):
        one = spec(orientation=orientation)
        bar = normal + way * excess
        assert judge(one, reading(bar, normal=normal, noise=noise)) == (Status.WARNING, bar)
        assert judge(one, reading(nextafter(bar, way * inf), normal=normal, noise=noise)) == (Status.WARNING, bar)
        assert judge(one, reading(nextafter(bar, -way * inf), normal=normal, noise=noise)) == (Status.OK, bar)
        assert judge(one, reading(normal - way * 9, normal=normal, noise=noise)) == (Status.OK, bar)


def test_where_normal_is_not_known_nothing_is_judged():
    assert judge(spec(), reading(9.0, normal=None)) == (Status.OK, None)


@pytest.mark.parametrize(
    ("samples", "reference_samples", "status"),
    [
        (99, None, Status.INSUFFICIENT_DATA),
        (100, None, Status.WARNING),
        (99, 5_000, Status.INSUFFICIENT_DATA),
        (5_000, 99, Status.INSUFFICIENT_DATA),
        (100, 100, Status.WARNING),
    ],
)
def test_too_few_samples_on_either_side_withhold_the_verdict(samples, reference_samples, status):
    far = reading(9.0, samples=samples, reference_samples=reference_samples)
    assert judge(spec(), far) == (status, 0.5)


def test_without_a_threshold_nothing_warns():
    assert judge(spec(warning=None), reading(1e9)) == (Status.OK, None)


def test_without_a_threshold_few_samples_are_still_said():
    assert judge(spec(warning=None), reading(1e9, samples=5)) == (Status.INSUFFICIENT_DATA, None)


def test_a_threshold_of_one_method_does_not_judge_another():
    psi_only = spec(warning_where={"method": "psi"})
    assert judge(psi_only, reading(0.9)) == (Status.WARNING, 0.5)
    assert judge(psi_only, reading(0.9, attributes={"method": "ks"})) == (Status.OK, None)
    assert judge(psi_only, reading(0.9, attributes={})) == (Status.OK, None)


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(0, 10**9),
    st.none() | st.integers(0, 10**9),
    st.none() | st.floats(0, 1e6),
    st.sampled_from(Orientation),
)
def test_a_plain_threshold_never_pages(value, samples, reference_samples, noise, orientation):
    judged = reading(value, samples=samples, reference_samples=reference_samples, noise=noise)
    status, _ = judge(spec(orientation=orientation), judged)
    assert status in {Status.OK, Status.WARNING, Status.INSUFFICIENT_DATA}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, (Status.WARNING, 2.0)),
        (2.0, (Status.WARNING, 2.0)),
        (nextafter(2.0, inf), (Status.OK, 2.0)),
        (nextafter(5.0, 0), (Status.OK, 2.0)),
        (5.0, (Status.OK, 8.0)),
        (nextafter(8.0, 0), (Status.OK, 8.0)),
        (8.0, (Status.WARNING, 8.0)),
        (9.0, (Status.WARNING, 8.0)),
    ],
)
def test_a_reading_that_brings_its_limits_warns_at_them_however_few_its_samples(value, expected):
    assert judge(spec(), reading(value, normal=5.0, limits=(2.0, 8.0), samples=0)) == expected


def test_a_limit_below_all_values_is_never_reached():
    assert judge(spec(warning=None), reading(0.0, normal=5.0, limits=(-0.5, 30.0)))[0] is Status.OK
