"""Learning what is usual: how rich a season so many windows afford, and which rates are effects."""

import numpy as np
import pytest

from mlvitals.clock import DAY
from mlvitals.decisions.columns import column_streams
from mlvitals.decisions.usual import LEAST_WINDOWS, learn
from mlvitals.windows.bins import MISSING, UNKNOWN_VALUES
from mlvitals.windows.window import WindowSize
from tests.decisions.histories import COLORS, HOURLY, MONDAY, NUMERIC, draw, hours, shares, watched
from tests.decisions.histories import learnt as learnt_of


def learnt(
    bins=NUMERIC, windows=336, *, special=(0.0, 0.0, 0.0), rows=500, size=HOURLY, starts=None, distribution=True
):
    counts = draw(np.random.default_rng(1), shares(bins, special=special), np.full(windows, rows))
    starts = hours(windows) if starts is None else starts
    streams = column_streams([watched("amount", bins, counts, distribution=distribution)])
    return learn(streams, counts, starts, size)


@pytest.mark.parametrize(
    ("windows", "terms"), [(0, None), (8, None), (LEAST_WINDOWS, 1), (71, 1), (72, 24), (167, 24), (168, 30)]
)
def test_a_season_is_as_rich_as_its_windows_afford_and_fewer_than_nine_teach_nothing(windows, terms):
    usually = learnt(windows=max(windows, 9))
    if windows < 9:
        counts = np.zeros((windows, 13))
        assert learn(usually.streams, counts, hours(windows), HOURLY) is None
    else:
        assert usually.mode.seasonality.terms == terms
        assert usually.mode.windows == windows


def test_windows_of_half_a_day_afford_a_season_after_two_weeks():
    size = WindowSize.parse("12h")
    usually = learnt(windows=28, size=size, starts=MONDAY + np.arange(28) * size.length)
    assert usually.mode.seasonality.terms == 8


def test_gaps_between_windows_are_no_windows():
    usually = learnt(windows=40, starts=MONDAY + np.arange(40) * DAY)
    assert usually.mode.seasonality.words == "none"  # an hour of the day needs 72, however long they take
    assert usually.mode.weeks == pytest.approx((39 * 24 + 1) / 168)


def test_a_short_reference_says_that_it_is_short():
    short, full = learnt(windows=335).mode, learnt(windows=336).mode
    assert (short.full, full.full) == (False, True)
    assert short.words == (
        "335 windows over 2.0 weeks; season by hour of the day and day of the week; "
        "short: what changes from week to week was not seen, the tolerance is wider for it"
    )
    assert full.words == "336 windows over 2.0 weeks; season by hour of the day and day of the week"


@pytest.mark.parametrize(
    ("missing", "common"), [(0.0, False), (0.01, False), (0.03, True), (0.97, True), (0.99, False)]
)
def test_rates_of_ten_rows_a_window_on_either_side_are_effects(missing, common):
    usually = learnt(special=(missing, 0.0, 0.0))
    names = [stream.component for stream in usually.effects]
    assert ("missing" in names) == common
    assert ([usually.streams.rates[place].component for place in usually.rare].count("missing") == 0) == common


def test_effects_of_common_rates_stand_between_the_others_and_the_directions():
    usually = learnt(special=(0.2, 0.0, 0.0))
    assert [stream.component for stream in usually.effects] == ["location", "spread", "missing"]
    assert usually.places.tolist() == [list(range(3, 3 + usually.streams.directions[0]))]
    counts = draw(np.random.default_rng(3), shares(NUMERIC, special=(0.2, 0.0, 0.0)), [500])
    prepared = usually.prepare(usually.streams.read(counts))
    hits, rows = counts[0, NUMERIC.size + MISSING], counts.sum()
    assert prepared.effects[0, 2] == pytest.approx(2 * np.arcsin(np.sqrt((hits + 0.375) / (rows + 0.75))))
    assert prepared.sampling[0, 2] == pytest.approx(1 / 500.5)
    assert usually.expected(hours(1))[0, 2] == pytest.approx(2 * np.arcsin(np.sqrt(0.2)), abs=0.05)


def test_a_common_rate_without_rows_says_nothing():
    usually = learnt(special=(0.2, 0.0, 0.0))
    prepared = usually.prepare(usually.streams.read(np.zeros((1, 13))))
    assert np.isnan(prepared.effects).all()


def test_an_identifier_has_a_rate_and_nothing_else():
    usually = learnt(UNKNOWN_VALUES, special=(0.001, 0.999, 0.0), distribution=False)
    assert (usually.effects, usually.streams.shapes) == ((), ())
    assert usually.usual.rate == pytest.approx(0.001, rel=0.1)
    assert usually.expected(hours(2)).shape == (2, 0)


def test_windows_without_rows_leave_what_is_usual_as_it_is():
    random = np.random.default_rng(4)
    counts = draw(random, shares(COLORS, special=(0.05, 0.0, 0.0)), random.integers(300, 900, 200))
    streams = column_streams([watched("color", COLORS, counts)])
    gaps = np.vstack([counts, np.zeros((3, counts.shape[1]))])
    one, other = learnt_of(streams, counts), learnt_of(streams, gaps)
    assert one.baseline.season == pytest.approx(other.baseline.season, rel=1e-6, abs=1e-9)
    assert one.baseline.scale == pytest.approx(other.baseline.scale, rel=1e-6)
    assert one.spread.widest == pytest.approx(other.spread.widest)
    assert one.usual.rate == pytest.approx(other.usual.rate)
