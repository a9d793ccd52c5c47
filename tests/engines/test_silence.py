"""Windows in which nothing was served: told of those that served last, bounded, and the same through any restart."""

import msgspec
import pytest

from mlvitals.clock import DAY, HOUR, MINUTE, format_time, parse_time
from mlvitals.config import SizeText, WindowsConfig
from mlvitals.engines.model import Progress
from mlvitals.engines.silence import EMPTY_TOLD
from mlvitals.state import Store

COUNT = "mlvitals.prediction.count"


def counts(bench):
    """Return what was told of each window and version, in order, by hours since the start."""
    told = [one for one in bench.latest().values() if one.signal == COUNT and not one.attributes]
    return sorted(
        ((parse_time(one.window_start) - bench.start) // HOUR, one.model_version, int(one.value)) for one in told
    )


def silence(bench):
    with Store.open_read_only(bench.path) as store:
        (document,) = store.connection.execute("SELECT document FROM progress").fetchone()
    return msgspec.json.decode(document, type=Progress).silence


def served(bench, hour, version="1", **more):
    return bench.prediction(f"{hour}-{version}", bench.start + hour * HOUR, model_version=version, **more)


def test_each_window_between_two_that_served_is_told_to_be_empty(bench):
    bench.feed([("s", [served(bench, 0), served(bench, 3), served(bench, 5)])])
    assert counts(bench) == [(0, "1", 1), (1, "1", 0), (2, "1", 0), (3, "1", 1)]


def test_an_empty_window_is_stamped_with_its_end_and_says_that_nothing_was_asked(bench):
    bench.feed([("s", [served(bench, 0)])], until=bench.start + 2 * HOUR)
    (empty,) = [one for one in bench.emissions if one.start == bench.start + HOUR]
    assert (empty.stamp, empty.revised) == (bench.start + 2 * HOUR, False)
    told = {one.signal: one.value for one in empty.measurements}
    assert told["mlvitals.prediction.count"] == told["mlvitals.request.count"] == told["mlvitals.prediction.rate"] == 0
    assert "mlvitals.feature.drift.score" not in told


def test_nothing_is_told_of_a_model_that_never_served(bench):
    bench.feed([("s", [served(bench, 0, error="timeout", prediction={})])], until=bench.start + DAY)
    assert counts(bench) == [(0, "1", 0)]


def test_a_version_that_another_has_replaced_goes_silent(bench):
    bench.feed(
        [("s", [served(bench, 0, "1"), served(bench, 0, "2"), served(bench, 2, "2")])], until=bench.start + 4 * HOUR
    )
    assert counts(bench) == [(0, "1", 1), (0, "2", 1), (1, "1", 0), (1, "2", 0), (2, "2", 1), (3, "2", 0)]


def test_a_window_in_which_every_request_failed_is_empty_too(bench):
    events = [served(bench, 0), served(bench, 1, "2", error="timeout", prediction={})]
    bench.feed([("s", events)], until=bench.start + 3 * HOUR)
    assert counts(bench) == [(0, "1", 1), (1, "1", 0), (1, "2", 0), (2, "1", 0)]


def test_idle_time_tells_empty_windows_one_by_one(bench):
    store, engine = bench.open(now=bench.start)
    with store:
        engine.process("s", bench.decode([served(bench, 0)]))
        for minute in range(0, 255, 5):
            bench.clock.moment = bench.start + minute * MINUTE
            engine.advance_while_running()
            ended = (minute - 15) // 60  # idle five minutes, late ten
            assert [one.start for one in bench.emissions if one.stamp == one.start + HOUR] == [
                bench.start + hour * HOUR for hour in range(ended)
            ]


def test_a_jump_of_a_year_of_minutes_is_bounded_and_what_is_not_told_is_counted(make_bench):
    config = make_bench().make_config(windows=WindowsConfig(size=SizeText("1m")), labels=None)
    bench = make_bench(config=config)
    year = 365 * DAY
    bench.feed([("s", [bench.prediction("a", bench.start)])], until=bench.start + year)
    assert len(bench.emissions) == 1 + EMPTY_TOLD
    assert (silence(bench).empty, silence(bench).untold) == (EMPTY_TOLD, 0)
    bench.feed([("s", [bench.prediction("b", bench.start + year)])], until=bench.start + year + 2 * MINUTE)
    assert len(bench.emissions) == 1 + EMPTY_TOLD + 1 + 1
    assert (silence(bench).empty, silence(bench).untold) == (1, year // MINUTE - 1 - EMPTY_TOLD)


def test_an_idle_job_writes_nothing_of_a_silence_past_its_bound(make_bench):
    config = make_bench().make_config(windows=WindowsConfig(size=SizeText("1m")), labels=None)
    bench = make_bench(config=config)
    store, engine = bench.open(now=bench.start)
    with store:
        engine.process("s", bench.decode([bench.prediction("a", bench.start)]))
        bench.clock.moment += DAY
        engine.advance_while_running()
        before = store.connection.total_changes
        assert len(bench.emissions) == 1 + EMPTY_TOLD
        for _ in range(9):
            bench.clock.moment += 1_000_000
            engine.advance_while_running()
        assert store.connection.total_changes == before


@pytest.mark.parametrize("steps", [(1, 30, 31, 300, 700), (0, 169, 170, 171, 600, 700), tuple(range(0, 701, 50))])
def test_until_in_steps_tells_what_one_step_tells(make_bench, steps):
    one, many = make_bench(), make_bench()
    events = [served(one, hour, version) for hour, version in ((0, "1"), (0, "2"), (7, "2"), (200, "1"), (690, "3"))]
    one.feed([("s", events)], until=one.start + 700 * HOUR)
    for number, hours in enumerate(steps):
        many.feed([("s", events)] if not number else [], until=many.start + hours * HOUR)
    assert many.latest() == one.latest()
    assert silence(many) == silence(one)
    assert silence(one).untold == (199 - 7 - EMPTY_TOLD) + (689 - 200 - EMPTY_TOLD)


class Lost(BaseException):  # a kill, not an error that anyone may catch
    pass


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_silence_goes_on_where_a_lost_step_left_it(make_bench, lost):
    plain, bench = make_bench(), make_bench()
    events = [served(bench, hour, version) for hour in (0, 100, 101) for version in "12"]
    plain.feed([("s", events)], until=plain.start + 150 * HOUR)
    bench.feed([("s", events)], until=bench.start + 150 * HOUR, finish=False)
    steps: list[int] = []

    def lose(connection, emissions):
        if len(steps) == lost:
            raise Lost
        steps.append(len(emissions))
        bench.collect(connection, emissions)

    store, engine = bench.open(until=bench.start + 150 * HOUR, emit=lose)
    with store, pytest.raises(Lost):
        engine.advance_when_all_is_read()
    bench.feed([], until=bench.start + 150 * HOUR)
    assert bench.latest() == plain.latest()
    assert len(bench.emissions) == len(plain.emissions)
    assert silence(bench) == silence(plain)


def test_the_window_of_a_month_is_followed_by_the_next_month(make_bench):
    config = make_bench().make_config(windows=WindowsConfig(size=SizeText("1mo")), labels=None)
    bench = make_bench(config=config)
    start = parse_time("2024-01-15T00:00:00Z")
    bench.feed([("s", [bench.prediction("a", start)])], until=parse_time("2024-04-01T00:00:00Z"))
    assert [format_time(one.start)[:10] for one in bench.emissions] == ["2024-01-01", "2024-02-01", "2024-03-01"]
