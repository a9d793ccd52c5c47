"""Plain thresholds, on both sides and at them."""

from math import inf, nextafter
from operator import ne

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.decisions.thresholds import RECOVERY, judge
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


def verdict(spec: MetricSpec, reading: Reading, before: int = 0) -> tuple[Status, float | None]:
    return judge(spec, reading, before)[:2]


every_noise = pytest.mark.parametrize(("noise", "excess"), [(None, 0.5), (0.0, 0.5), (0.125, 0.875)])


@pytest.mark.parametrize("sign", [1, -1])
@every_noise
def test_where_neither_way_is_better_a_value_warns_at_its_threshold_on_both_sides(sign, noise, excess):
    either = spec(orientation=Orientation.NEITHER)
    assert verdict(either, reading(sign * excess, noise=noise)) == (Status.WARNING, excess)
    assert verdict(either, reading(sign * nextafter(excess, inf), noise=noise)) == (Status.WARNING, excess)
    assert verdict(either, reading(sign * nextafter(excess, 0), noise=noise)) == (Status.OK, excess)


@pytest.mark.parametrize("normal", [0.0, 0.25, -1.0])
@every_noise
def test_a_value_warns_where_it_is_worse_than_normal_by_its_threshold_and_not_where_it_is_better(normal, noise, excess):
    for orientation, way in ((Orientation.LOWER, 1), (Orientation.HIGHER, -1)):
        one = spec(orientation=orientation)
        bar = normal + way * excess
        assert verdict(one, reading(bar, normal=normal, noise=noise)) == (Status.WARNING, bar)
        assert verdict(one, reading(nextafter(bar, way * inf), normal=normal, noise=noise)) == (Status.WARNING, bar)
        assert verdict(one, reading(nextafter(bar, -way * inf), normal=normal, noise=noise)) == (Status.OK, bar)
        assert verdict(one, reading(normal - way * 9, normal=normal, noise=noise)) == (Status.OK, bar)


def test_where_normal_is_not_known_nothing_is_judged():
    assert verdict(spec(), reading(9.0, normal=None)) == (Status.OK, None)


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
    assert verdict(spec(), far) == (status, 0.5)


def test_without_a_threshold_nothing_warns():
    assert verdict(spec(warning=None), reading(1e9)) == (Status.OK, None)


def test_without_a_threshold_few_samples_are_still_said():
    assert verdict(spec(warning=None), reading(1e9, samples=5)) == (Status.INSUFFICIENT_DATA, None)


def test_a_threshold_of_one_method_does_not_judge_another():
    psi_only = spec(warning_where={"method": "psi"})
    assert verdict(psi_only, reading(0.9)) == (Status.WARNING, 0.5)
    assert verdict(psi_only, reading(0.9, attributes={"method": "ks"})) == (Status.OK, None)
    assert verdict(psi_only, reading(0.9, attributes={})) == (Status.OK, None)


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(0, 10**9),
    st.none() | st.integers(0, 10**9),
    st.none() | st.floats(0, 1e6),
    st.sampled_from(Orientation),
)
def test_a_plain_threshold_never_pages(value, samples, reference_samples, noise, orientation):
    judged = reading(value, samples=samples, reference_samples=reference_samples, noise=noise)
    status, _ = verdict(spec(orientation=orientation), judged)
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
    assert verdict(spec(), reading(value, normal=5.0, limits=(2.0, 8.0), samples=0)) == expected


def test_a_limit_below_all_values_is_never_reached():
    assert verdict(spec(warning=None), reading(0.0, normal=5.0, limits=(-0.5, 30.0)))[0] is Status.OK


def standings(one: MetricSpec, readings: list[Reading]) -> list[tuple[Status, int]]:
    """Judge readings of one series, window after window."""
    told, before = [], 0
    for each in readings:
        judgement = judge(one, each, before)
        before = judgement.standing
        told.append((judgement.status, before))
    return told


WARNS, QUIET = (Status.WARNING, 1), (Status.OK, 0)


@pytest.mark.parametrize("sign", [1, -1])
@every_noise
def test_where_neither_way_is_better_a_warning_lasts_down_to_three_quarters_of_its_threshold(sign, noise, excess):
    either = spec(orientation=Orientation.NEITHER)
    end = RECOVERY * excess
    values = [excess, nextafter(excess, 0), end, nextafter(end, 0), end, nextafter(excess, 0)]
    told = standings(either, [reading(sign * value, noise=noise) for value in values])
    assert told == [WARNS, WARNS, WARNS, QUIET, QUIET, QUIET]


@pytest.mark.parametrize("normal", [0.0, 0.25, -1.0])
@every_noise
def test_a_warning_lasts_until_three_quarters_of_the_way_from_normal(normal, noise, excess):
    for orientation, way in ((Orientation.LOWER, 1), (Orientation.HIGHER, -1)):
        bar, end = normal + way * excess, normal + way * RECOVERY * excess
        values = [nextafter(bar, -way * inf), bar, nextafter(end, way * inf), end, nextafter(end, -way * inf), end]
        told = standings(spec(orientation=orientation), [reading(one, normal=normal, noise=noise) for one in values])
        assert told == [QUIET, WARNS, WARNS, WARNS, QUIET, QUIET]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([2.0, nextafter(2.0, inf), 2.75, nextafter(2.75, inf), 2.75], [WARNS, WARNS, WARNS, QUIET, QUIET]),
        ([8.0, nextafter(8.0, 0), 7.25, nextafter(7.25, 0), 7.25], [WARNS, WARNS, WARNS, QUIET, QUIET]),
        ([2.0, 5.0, 8.0], [WARNS, QUIET, WARNS]),
        ([2.0, 7.9], [WARNS, WARNS]),
    ],
)
def test_a_warning_of_a_reading_that_brings_its_limits_lasts_until_it_is_well_within_them(values, told):
    assert standings(spec(), [reading(one, normal=5.0, limits=(2.0, 8.0)) for one in values]) == told


def test_a_verdict_that_is_withheld_neither_begins_nor_ends_a_warning():
    few = reading(0.0, samples=1)
    between = reading(0.45)
    told = standings(spec(), [between, reading(0.5), few, between, reading(0.0, verdict=Status.NO_DATA), between])
    withheld, silent = (Status.INSUFFICIENT_DATA, 1), (Status.NO_DATA, 1)
    assert told == [QUIET, WARNS, withheld, WARNS, silent, WARNS]


def test_where_normal_is_no_longer_known_a_warning_is_over():
    assert standings(spec(), [reading(0.5), reading(0.5, normal=None), reading(0.45)]) == [WARNS, QUIET, QUIET]


def test_a_lasting_warning_tells_down_to_where_it_lasts_and_no_other_does():
    assert judge(spec(), reading(0.45), 1) == (Status.WARNING, 0.5, 1, RECOVERY * 0.5)
    assert judge(spec(), reading(0.5), 1).lasts is None
    assert judge(spec(), reading(0.1), 1).lasts is None


def test_a_signal_may_ask_for_several_windows_in_a_row():
    patient = spec(warning_windows=3)
    high, between, low = reading(0.6), reading(0.45), reading(0.0)
    told = standings(patient, [high, high, low, high, high, between, high, high, high, between, high, low, high])
    statuses = [Status.OK] * 8 + [Status.WARNING] * 3 + [Status.OK] * 2
    assert told == list(zip(statuses, [1, 2, 0, 1, 2, 0, 1, 2, 3, 3, 3, 0, 1], strict=True))


@given(st.lists(st.floats(-2, 2), max_size=30), st.sampled_from(Orientation))
def test_with_hysteresis_a_series_never_warns_later_and_changes_no_more_often_than_without(values, orientation):
    one = spec(orientation=orientation)
    kept = [status is Status.WARNING for status, _ in standings(one, [reading(value) for value in values])]
    alone = [judge(one, reading(value)).status is Status.WARNING for value in values]
    assert all(lasts or not warns for lasts, warns in zip(kept, alone, strict=True))
    assert sum(map(ne, kept, kept[1:])) <= sum(map(ne, alone, alone[1:])) + 1


@given(st.integers(0, 5), st.integers(1, 4), st.floats(-2, 2))
def test_how_a_series_stands_is_bounded(before, windows, value):
    assert 0 <= judge(spec(warning_windows=windows), reading(value), before).standing <= max(before, windows)
