from hypothesis import given
from hypothesis import strategies as st

from mlvitals.windows.watermark import Watermark

TIMES = st.integers(-(10**6), 10**6)
OBSERVATIONS = st.lists(st.tuples(st.sampled_from("abc"), TIMES, st.integers(0, 10**6)), max_size=20)


@given(OBSERVATIONS, st.integers(0, 100), st.integers(0, 10**5))
def test_it_never_goes_back(observations, lateness, idle):
    watermark = Watermark()
    before: tuple[int | None, int | None] = (None, None)
    for source, newest, now in observations:
        watermark.observe(watermark.predictions, source, newest, now)
        watermark.advance(*watermark.while_running(now, lateness=lateness, idle=idle))
        for old, new in zip(before, (watermark.closed, watermark.settled), strict=True):
            assert old is None or (new is not None and new >= old)
        before = (watermark.closed, watermark.settled)


@given(OBSERVATIONS.filter(bool), st.integers(0, 100))
def test_it_is_the_least_over_the_sources_less_the_lateness(observations, lateness):
    watermark, newest = Watermark(), dict[str, int]()
    for source, time, _ in observations:
        watermark.observe(watermark.predictions, source, time, 0)
        newest[source] = max(time, newest.get(source, time))
    close, settle = watermark.while_running(0, lateness=lateness, idle=0)
    assert close == min(newest.values()) - lateness
    assert settle == max(newest.values())


def test_a_silent_source_moves_on_with_the_clock_after_its_idle_time():
    watermark = Watermark()
    watermark.observe(watermark.predictions, "quiet", 100, 1_000)
    watermark.observe(watermark.predictions, "busy", 500, 1_000)
    for now, close in {1_000: 100, 1_050: 100, 1_051: 101, 1_250: 300, 1_450: 500}.items():
        watermark.observe(watermark.predictions, "busy", 500, now)
        assert watermark.while_running(now, lateness=0, idle=50)[0] == close


def test_a_source_that_speaks_again_is_where_its_events_are():
    watermark = Watermark()
    watermark.observe(watermark.predictions, "a", 100, 0)
    watermark.advance(*watermark.while_running(1_000, lateness=0, idle=0))
    assert watermark.closed == 1_100
    watermark.observe(watermark.predictions, "a", 200, 1_000)
    close, settle = watermark.while_running(1_000, lateness=0, idle=0)
    assert (close, settle) == (200, 200)
    watermark.advance(close, settle)
    assert watermark.closed == 1_100


def test_labels_do_not_hold_the_watermark_but_settle():
    watermark = Watermark()
    watermark.observe(watermark.labels, "truth", 900, 0)
    assert watermark.while_running(0, lateness=10, idle=0) == (None, 900)
    assert watermark.when_all_is_read(lateness=10) == (None, 900)
    watermark.observe(watermark.predictions, "served", 100, 0)
    assert watermark.while_running(0, lateness=10, idle=0) == (90, 900)
    assert watermark.when_all_is_read(lateness=10) == (90, 900)


def test_when_all_is_read_the_newest_event_counts():
    watermark = Watermark()
    watermark.observe(watermark.predictions, "short", 100, 0)
    watermark.observe(watermark.predictions, "long", 500, 0)
    assert watermark.when_all_is_read(lateness=20) == (480, 500)


def test_where_nothing_was_read_nothing_moves():
    watermark = Watermark()
    assert watermark.while_running(5, lateness=0, idle=0) == (None, None)
    assert watermark.when_all_is_read(lateness=0) == (None, None)
    watermark.advance(7, 8)
    watermark.advance(None, None)
    assert (watermark.closed, watermark.settled) == (7, 8)
