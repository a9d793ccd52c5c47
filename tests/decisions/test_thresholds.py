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
        orientation=Orientation.LOWER,
        level=Export.FULL,
        **{"attributes": ("method",), "minimum_samples": 100, "warning": 0.5, **changes},
    )


def reading(value: float, **changes) -> Reading:
    return Reading(value=value, **{"samples": 100, "attributes": {"method": "psi"}, **changes})


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("noise", "threshold"), [(None, 0.5), (0.0, 0.5), (0.125, 0.875)])
def test_a_value_warns_at_its_threshold_and_beyond_and_not_below(sign, noise, threshold):
    assert judge(spec(), reading(sign * threshold, noise=noise)) == (Status.WARNING, threshold)
    assert judge(spec(), reading(sign * nextafter(threshold, inf), noise=noise)) == (Status.WARNING, threshold)
    assert judge(spec(), reading(sign * nextafter(threshold, 0), noise=noise)) == (Status.OK, threshold)


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
    psi_only = spec(warning_method="psi")
    assert judge(psi_only, reading(0.9)) == (Status.WARNING, 0.5)
    assert judge(psi_only, reading(0.9, attributes={"method": "ks"})) == (Status.OK, None)
    assert judge(psi_only, reading(0.9, attributes={})) == (Status.OK, None)


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(0, 10**9),
    st.none() | st.integers(0, 10**9),
    st.none() | st.floats(0, 1e6),
)
def test_a_plain_threshold_never_pages(value, samples, reference_samples, noise):
    judged = reading(value, samples=samples, reference_samples=reference_samples, noise=noise)
    status, _ = judge(spec(), judged)
    assert status in {Status.OK, Status.WARNING, Status.INSUFFICIENT_DATA}
