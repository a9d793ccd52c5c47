"""What is usual: places found by how much was seen, means and variances as they were simulated."""

import numpy as np
import pytest

from mlvitals.clock import DAY, HOUR, MINUTE, WEEK, parse_time
from mlvitals.signals.season import LEAST_WINDOWS, Season, season_of_series
from mlvitals.signals.spec import Volume
from mlvitals.windows.window import WindowSize

MONDAY = parse_time("2026-03-02T00:00:00Z")
HOURLY = WindowSize.parse("1h")


def series(size, span, mean, *, seed=0, spread=0.0):
    """Return counts by window start: Poisson around `mean(start)`, which itself varies by a share `spread`."""
    random = np.random.default_rng(seed)
    counts = {}
    for start in range(MONDAY, MONDAY + span, size.length):
        level = mean(start) * (random.gamma(1 / spread**2, spread**2) if spread else 1.0)
        counts[start] = int(random.poisson(level))
    return counts


def usual(season: Season | None, start: int) -> Volume:
    """Return what is usual in a window of which that must be known."""
    assert season is not None
    volume = season.at(start)
    assert volume is not None
    return volume


def by_week(start):
    """A daily wave, and half of it at weekends."""
    hour, day = start % DAY // HOUR, (start - MONDAY) // DAY % 7
    return (200 + 150 * np.sin(2 * np.pi * hour / 24)) * (0.5 if day >= 5 else 1.0)


@pytest.mark.parametrize(
    ("size", "span", "cycle", "step"),
    [
        ("1h", 14 * DAY, WEEK, HOUR),
        ("1h", 13 * DAY, DAY, HOUR),
        ("1h", 3 * DAY, DAY, HOUR),
        ("1h", 2 * DAY, DAY, DAY),
        ("1h", DAY, DAY, DAY),
        ("1h", 21 * HOUR, None, None),
        ("6h", 14 * DAY, WEEK, 6 * HOUR),
        ("6h", 3 * DAY, DAY, 6 * HOUR),
        ("15m", 14 * DAY, WEEK, HOUR),
        ("1m", 3 * DAY, DAY, HOUR),
        ("1m", 12 * HOUR, None, None),
        ("12h", 3 * DAY, None, None),
        ("1d", 14 * DAY, WEEK, DAY),
        ("1d", 11 * DAY, DAY, DAY),
        ("1d", 8 * DAY, None, None),
        ("1w", 12 * WEEK, DAY, DAY),
    ],
)
def test_windows_are_told_apart_as_finely_as_the_span_allows(size, span, cycle, step):
    size = WindowSize.parse(size)
    season = season_of_series(series(size, span, lambda _: 100), size)
    assert (season is None) is (cycle is None)
    if season is not None:
        assert (season.cycle, season.step) == (cycle, step)
        assert len(season.expected) == cycle // step


def test_months_are_all_alike():
    size = WindowSize.parse("1mo")
    starts = [parse_time(f"20{year}-{month:02}-01T00:00:00Z") for year in (24, 25) for month in range(1, 13)]
    season = season_of_series(dict.fromkeys(starts, 50), size)
    assert usual(season, parse_time("2026-01-01T00:00:00Z")).expected == 50.0
    assert usual(season, starts[0]).windows == 22


def test_four_weeks_of_hours_find_the_hours_of_the_week():
    season = season_of_series(series(HOURLY, 4 * WEEK, by_week, spread=0.1), HOURLY)
    off = [
        (usual(season, start).expected - by_week(start)) / usual(season, start).noise
        for start in range(MONDAY + 8 * WEEK, MONDAY + 9 * WEEK, HOUR)
    ]
    # A mean of four windows: half of a window's noise, a little less for the noise of the mean that it includes.
    assert np.std(off) == pytest.approx(0.45, abs=0.08)
    assert abs(np.mean(off)) < 0.1


@pytest.mark.parametrize("spread", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("weeks", [2, 4])
def test_new_windows_lie_as_far_from_what_is_expected_as_the_noise_says(spread, weeks):
    season = season_of_series(series(HOURLY, weeks * WEEK, by_week, spread=spread), HOURLY)
    later = series(HOURLY, 4 * WEEK, by_week, seed=1, spread=spread)
    off = [(count - usual(season, start).expected) / usual(season, start).noise for start, count in later.items()]
    assert np.std(off) == pytest.approx(1.0, abs=0.15)


def test_what_a_series_does_not_name_was_empty_and_its_ends_are_left_out():
    counts = dict.fromkeys(range(MONDAY, MONDAY + 4 * DAY, DAY // 2), 10)
    counts[MONDAY] = counts[MONDAY + 4 * DAY - DAY // 2] = 1_000_000
    season = season_of_series(counts, HOURLY)
    assert usual(season, MONDAY).expected == usual(season, MONDAY + DAY // 2).expected == 10.0
    assert usual(season, MONDAY + HOUR).expected == 0.0


def test_a_place_that_was_not_seen_has_no_usual_volume():
    size = WindowSize.parse("1d")
    counts = dict.fromkeys(range(MONDAY, MONDAY + 12 * DAY, DAY), 10)
    season = Season.fit(counts, size, MONDAY, MONDAY + 12 * DAY)
    assert season is not None
    assert [usual(season, MONDAY + day * DAY).windows for day in range(7)] == [2, 2, 2, 2, 2, 1, 1]
    one_week = Season(WEEK, DAY, season.expected, season.noise, season.windows * np.arange(7))
    assert one_week.at(3 * DAY + MONDAY - 4 * DAY + 0) is not None
    assert one_week.at(0) is None  # place 0: a Thursday


def test_too_few_windows_say_nothing():
    assert season_of_series({}, HOURLY) is None
    assert season_of_series({MONDAY: 5}, HOURLY) is None
    assert Season.fit({}, HOURLY, MONDAY, MONDAY + (LEAST_WINDOWS - 1) * HOUR) is None


def test_one_wrong_time_does_not_lay_out_a_century():
    size = WindowSize.parse("1m")
    counts = {MINUTE: 1} | dict.fromkeys(range(MONDAY, MONDAY + 40 * WEEK, MINUTE), 7)
    season = season_of_series(counts, size)
    assert usual(season, MONDAY).expected == pytest.approx(7.0, rel=0.05)
    assert season is not None
    assert season.windows.sum() == 400_000
