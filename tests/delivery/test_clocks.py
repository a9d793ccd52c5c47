"""A clock that is set forth or back, while a process runs or while none does, silences nobody and expires nothing."""

import pytest

from mlvitals.clock import DAY, HOUR, MINUTE, SECOND, FixedClock, SteadyClock, SystemClock
from mlvitals.delivery import Bounds, DrainReport, Outbox, Outcome, Sender, Verdict

YEAR = 365 * DAY
JUMPS = [-10 * YEAR, -DAY, -HOUR, HOUR, DAY, 10 * YEAR]


@pytest.fixture
def clocks(bench):
    """A sender by a wall clock, which is set, and by a steady one, which is not; waiting moves both."""
    bench.steady = FixedClock(bench.clock.now())

    def wait(seconds):
        bench.waits.append(seconds)
        bench.clock.moment += round(seconds * SECOND)
        bench.steady.moment += round(seconds * SECOND)

    bench.outbox = Outbox(bench.store, {"there": Bounds(age=7 * DAY)})

    def start():
        """Start a process: its steady clock begins with the wall clock."""
        bench.steady.moment = bench.clock.now()
        bench.sender = Sender(
            outbox=bench.outbox,
            sink=bench.destination,
            clock=bench.clock,
            steady=bench.steady,
            wait=wait,
            jitter=lambda: 1.0,
        )
        bench.sender.begin()

    def put(*requests):
        made = [bench.destination.request(*numbers) for numbers in requests]
        bench.outbox.enqueue("there", made, bench.steady.now())

    bench.start, bench.put, bench.wait = start, put, wait
    start()
    return bench


def step(clocks):
    report = DrainReport(destination="there")
    clocks.sender.step(report)
    return report


@pytest.mark.parametrize("jump", JUMPS)
def test_a_pause_is_as_long_as_it_was_meant_whatever_the_wall_clock_says(clocks, jump):
    clocks.put([1])
    clocks.answers(Outcome(verdict=Verdict.RETRY, retry_after=60.0))
    step(clocks)
    clocks.clock.moment += jump
    assert clocks.sender.pause() == 60.0
    assert step(clocks).requests == 0
    clocks.wait(60)
    assert step(clocks).delivered == 1


@pytest.mark.parametrize("jump", JUMPS)
def test_nothing_expires_and_nothing_is_kept_for_ever_when_the_wall_clock_is_set_while_a_process_runs(clocks, jump):
    clocks.put([1])
    clocks.answers(*[Verdict.MISCONFIGURED] * 9)
    clocks.clock.moment += jump
    clocks.wait(6 * DAY / SECOND)
    assert step(clocks).expired == 0
    clocks.wait(DAY / SECOND + MINUTE)
    assert step(clocks).expired == 1


@pytest.mark.parametrize("jump", JUMPS)
def test_the_next_process_waits_no_longer_than_the_last_one_may_have_wanted(clocks, jump):
    clocks.put([1])
    clocks.answers(Outcome(verdict=Verdict.RETRY, retry_after=1800.0))
    step(clocks)
    clocks.clock.moment += jump
    clocks.start()
    assert clocks.sender.pause() <= 3600
    clocks.wait(clocks.sender.pause())
    assert step(clocks).delivered == 1


@pytest.mark.parametrize("back", [2 * HOUR, DAY, 10 * YEAR])
def test_a_job_that_runs_now_and_then_is_not_silenced_until_the_clock_has_caught_up(clocks, back):
    clocks.put([1])
    clocks.answers(Outcome(verdict=Verdict.RETRY))
    step(clocks)
    clocks.clock.moment -= back
    clocks.start()
    assert step(clocks).delivered == 1


@pytest.mark.parametrize("jump", JUMPS)
def test_what_is_young_does_not_expire_when_the_clock_is_set_while_no_process_runs(clocks, jump):
    clocks.put([1])
    clocks.answers(*[Verdict.MISCONFIGURED] * 9)
    clocks.wait(HOUR / SECOND)
    step(clocks)
    clocks.clock.moment += jump
    clocks.start()
    assert step(clocks).expired == 0
    clocks.wait(3 * DAY / SECOND)
    assert step(clocks).expired == 0
    clocks.wait(4 * DAY / SECOND)
    assert step(clocks).expired == 1


def test_time_without_a_process_counts_up_to_half_of_the_bound(clocks):
    clocks.put([1])
    clocks.answers(*[Verdict.MISCONFIGURED] * 9)
    clocks.clock.moment += 3 * DAY
    clocks.start()
    assert step(clocks).expired == 0
    clocks.wait(4 * DAY / SECOND)
    assert step(clocks).expired == 0
    clocks.wait(MINUTE / SECOND)
    assert step(clocks).expired == 1


def test_the_steady_clock_begins_with_the_systems_and_goes_on():
    steady = SteadyClock()
    first = steady.now()
    assert abs(first - SystemClock().now()) < MINUTE
    assert steady.now() >= first
