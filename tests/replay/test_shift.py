import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlvitals.clock import DAY, MINUTE
from mlvitals.replay import Shift

moments = st.integers(-5 * 10**15, 5 * 10**15)
speeds = st.floats(0.001, 10**6)


@given(start=moments, origin=moments, speed=speeds)
def test_the_origin_becomes_the_start(start, origin, speed):
    assert Shift(start=start, origin=origin, speed=speed).time(origin) == start


def test_speed_1440_puts_a_day_into_a_minute():
    shift = Shift(start=0, origin=0, speed=1440)
    assert shift.time(DAY) == MINUTE
    assert shift.time(-3 * DAY) == -3 * MINUTE


@given(times=st.lists(moments, min_size=2), speed=speeds)
def test_order_stays(times, speed):
    shifted = Shift(start=0, origin=min(times), speed=speed).times(np.array(sorted(times), dtype=np.int64))
    assert (np.diff(shifted) >= 0).all()


@given(times=st.lists(moments, min_size=1), start=moments, origin=moments, speed=speeds)
def test_one_time_is_shifted_as_it_is_among_many(times, start, origin, speed):
    shift = Shift(start=start, origin=origin, speed=speed)
    assert shift.times(np.array(times, dtype=np.int64)).tolist() == [shift.time(time) for time in times]


@given(times=st.lists(moments, min_size=1), start=moments, origin=moments)
def test_speed_one_moves_every_time_by_the_same(times, start, origin):
    shift = Shift(start=start, origin=origin, speed=1)
    exact = [time for time in times if abs(time - origin) < 2**53]
    assert [shift.time(time) - time for time in exact] == [start - origin] * len(exact)


@pytest.mark.parametrize("speed", [0, -1, float("inf"), float("nan")])
def test_a_speed_is_positive_and_finite(speed):
    with pytest.raises(ValueError, match="a speed is a positive number"):
        Shift(start=0, origin=0, speed=speed)
