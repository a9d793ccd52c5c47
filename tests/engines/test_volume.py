"""What is usual for a model: from its reference where that is complete, else from the first windows served."""

from dataclasses import replace

import msgspec
import pytest

from mlvitals.clock import DAY, HOUR, parse_time
from mlvitals.config import Duration, OperatingConfig, SizeText, WindowsConfig
from mlvitals.config.cost import CostConfig, DowntimeConfig

RATE = "mlvitals.prediction.rate"
DOWNTIME = "mlvitals.cost.downtime"


def serve(bench, start, number, *, version="1", seconds=1):
    return [
        bench.prediction(f"{start}-{version}-{one}", start + one * seconds * 1_000_000, model_version=version)
        for one in range(number)
    ]


def rates(bench):
    """Return each whole version's status and evidence by the hours since the start of its window."""
    return {
        ((parse_time(one.window_start) - bench.start) // HOUR, one.model_version): (one.status.value, one.evidence)
        for one in bench.latest().values()
        if one.signal == RATE and not one.attributes
    }


@pytest.fixture
def six_hourly(make_bench):
    """A model with four windows a day, which remembers no ids."""

    def make(**changes):
        windows = WindowsConfig(size=SizeText("6h"))
        return make_bench(config=make_bench().make_config(windows=windows, labels=None, deduplicate=False, **changes))

    return make


@pytest.fixture
def sampled(six_hourly, monkeypatch):
    """A model like this whose reference is a sample, which says nothing of volume."""
    bench = six_hourly(cost=CostConfig(currency="EUR", downtime=DowntimeConfig(per_request=0.5, per_hour=10.0)))
    of_kind = replace(bench.make_reference(bench.config), complete=False)
    monkeypatch.setattr(type(bench), "_references", _references_with(type(bench)._references, of_kind))
    return bench


def _references_with(plain, reference):
    def references(bench, store, config):
        made = plain(bench, store, config)
        made.operating = reference
        return made

    return references


def days(bench, count, by_place, first=0):
    return [
        event
        for day in range(first, first + count)
        for place, number in enumerate(by_place)
        for event in serve(bench, bench.start + day * DAY + place * 6 * HOUR, number)
    ]


def test_a_complete_reference_says_what_is_usual_from_the_first_window_on(bench):
    # The reference served one prediction an hour: what the conftest's rows are.
    bench.feed([("s", serve(bench, bench.start, 30))], until=bench.start + HOUR)
    status, evidence = rates(bench)[0, "1"]
    assert status == "insufficient_data"  # one is usual: less than ten
    assert evidence["expected"] == pytest.approx(1 / 3600)
    assert evidence["ratio"] == pytest.approx(30.0)


def test_without_one_it_is_learnt_from_the_first_windows_and_told_apart_as_soon_as_possible(sampled):
    bench = sampled
    bench.feed([("s", days(bench, 20, (20, 40, 60, 20)))], until=bench.start + 20 * DAY)
    told = rates(bench)
    known = [hour // 24 for (hour, _), (status, _) in told.items() if status != "insufficient_data"]
    assert min(known) == 3  # less the first window, which may be cut off, that is three rounds of the day
    assert all(status == "ok" for (hour, _), (status, _) in told.items() if hour >= 3 * 24)
    early = [told[3 * 24 + place * 6, "1"][1] for place in range(4)]
    assert [one["expected"] * 6 * 3600 for one in early] == pytest.approx([20, 40, 60, 20])
    assert [one["windows"] for one in early] == [2, 3, 3, 3]
    later = [told[day * 24 + place * 6, "1"][1] for day in (16, 19) for place in range(4)]
    assert [one["expected"] * 6 * 3600 for one in later] == pytest.approx([20, 40, 60, 20] * 2)
    assert later[0]["windows"] <= 3  # by the hour of the week


def test_it_is_frozen_after_two_weeks(sampled):
    bench = sampled
    bench.feed([("s", days(bench, 16, (20, 20, 20, 20)))], until=bench.start + 16 * DAY)
    before = bench.rows("volume")["volume"]
    bench.feed([("s", days(bench, 10, (90, 90, 90, 90), first=16))], until=bench.start + 26 * DAY)
    assert bench.rows("volume")["volume"] == before
    assert len(before) == 15 * 4
    for hour in range(17 * 24, 26 * 24, 6):
        status, evidence = rates(bench)[hour, "1"]
        assert (status, evidence["ratio"]) == ("warning", 4.5)


def test_an_outage_warns_and_so_does_a_rush(sampled):
    bench = sampled
    usual = days(bench, 16, (40, 40, 40, 40))
    rush = serve(bench, bench.start + 17 * DAY, 200)
    bench.feed([("s", [*usual, *rush])], until=bench.start + 18 * DAY)
    told = rates(bench)
    assert told[16 * 24, "1"][0] == told[16 * 24 + 18, "1"][0] == "warning"
    assert told[16 * 24, "1"][1]["ratio"] == 0.0
    assert told[17 * 24, "1"][0] == "warning"
    assert told[15 * 24, "1"][0] == "ok"


def downtimes(bench):
    """Return what it cost not to serve, and the hours of it, by the hours since the start, summed over versions."""
    told: dict[int, tuple[float, float]] = {}
    for one in bench.latest().values():
        if one.signal == DOWNTIME:
            hour = (parse_time(one.window_start) - bench.start) // HOUR
            value, hours = told.get(hour, (0.0, 0.0))
            told[hour] = value + one.value, hours + one.evidence["hours"]
    return told


def test_hours_in_which_nobody_serves_cost_what_they_cost_however_many_versions_tell_it(sampled):
    bench = sampled
    usual = days(bench, 16, (40, 40, 40, 4))
    both = [*serve(bench, bench.start + 16 * DAY, 20), *serve(bench, bench.start + 16 * DAY, 20, version="2")]
    failed = bench.prediction("failed", bench.start + 16 * DAY + 7 * HOUR, model_version="3", error="x", prediction={})
    bench.feed([("s", [*usual, *both, failed])], until=bench.start + 17 * DAY)
    told = {hour - 16 * 24: cost for hour, cost in downtimes(bench).items() if hour >= 14 * 24}
    assert told.pop(6) == pytest.approx((6 * 10.0 + 0.5, 6.0))  # one failed, of a third version
    assert told.pop(12) == pytest.approx((6 * 10.0, 6.0))
    assert set(told.values()) == {(0.0, 0.0)}  # also of the last window, in which few are usual
    assert max(told) == 18


def test_before_it_is_known_what_is_usual_nothing_is_said_of_an_empty_window(sampled):
    bench = sampled
    bench.feed([("s", days(bench, 1, (40, 40, 0, 40)))], until=bench.start + DAY)
    assert sorted(downtimes(bench)) == [0, 6, 18]


def test_traffic_that_moves_to_another_version_is_as_usual(sampled):
    bench = sampled
    usual = days(bench, 16, (40, 40, 40, 40))
    start = bench.start + 16 * DAY
    moved = [*serve(bench, start, 10), *serve(bench, start, 30, version="2")]
    moved += serve(bench, start + 6 * HOUR, 40, version="2")
    bench.feed([("s", [*usual, *moved])], until=start + 12 * HOUR)
    told = rates(bench)
    assert {key: one[0] for key, one in told.items() if key[0] >= 16 * 24} == {
        (16 * 24, "1"): "ok",
        (16 * 24, "2"): "ok",
        (16 * 24 + 6, "2"): "ok",
    }
    assert told[16 * 24, "1"][1]["ratio"] == told[16 * 24, "2"][1]["ratio"] == 1.0


def test_steps_and_restarts_say_what_one_step_says(sampled, make_bench):
    one = sampled
    events = [*days(one, 9, (20, 40, 60, 20)), *days(one, 5, (90, 0, 0, 90), first=10)]
    many = make_bench(config=one.config)
    one.feed([("s", events)], until=one.start + 16 * DAY)
    for number, hours in enumerate(range(0, 16 * 24 + 1, 31)):
        many.feed([] if number else [("s", events)], until=many.start + hours * HOUR)
    many.feed([], until=many.start + 16 * DAY)
    assert many.latest() == one.latest()


@pytest.mark.parametrize("step", [6, 24, 24 * 20])
def test_while_a_reference_is_learnt_nothing_is_usual_and_then_it_says_so(six_hourly, step):
    bench = six_hourly(operating=OperatingConfig(first=Duration("5d")))
    events = days(bench, 8, (40, 40, 40, 40))
    for number, hours in enumerate(range(step, 24 * 20 + 1, step)):
        bench.feed([] if number else [("s", events)], until=bench.start + hours * HOUR)
    told = rates(bench)
    assert {hour // 24 for (hour, _), (status, _) in told.items() if status == "insufficient_data"} == set(range(5))
    assert {hour // 24 for (hour, _), (status, _) in told.items() if status == "ok"} == {5, 6, 7}
    assert told[8 * 24, "1"][0] == "warning"
    assert told[5 * 24, "1"][1]["windows"] == 4 or told[5 * 24, "1"][1]["windows"] == 5


def test_segments_have_no_verdict_of_their_own(six_hourly):
    bench = six_hourly(segments=("c",))
    bench.feed([("s", days(bench, 1, (9, 9, 9, 9)))], until=bench.start + DAY)
    of_segments = [one for one in bench.latest().values() if one.signal == RATE and one.attributes]
    assert {one.status.value for one in of_segments} == {"insufficient_data"}
    assert msgspec.to_builtins(of_segments[0])["value"] == 9 / (6 * 3600)
