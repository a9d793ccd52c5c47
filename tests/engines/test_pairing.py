"""Requests and responses that are logged apart become one prediction, however they come."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlvitals.clock import HOUR, MINUTE, SECOND, format_time
from mlvitals.engines import pairing
from mlvitals.events import RawBatch
from mlvitals.formats import DecodePlan, JsonFormat
from mlvitals.state import Store

CONFIG = {
    "type": "json",
    "rows": ["in", "out"],
    "map": {
        "timestamp": "time",
        "prediction_id": "id",
        "model_version": "version",
        "features.*": "in.*",
        "prediction.score": "out",
        "error": "failure",
    },
    "join": {"request": {"type": "request"}, "response": {"type": "response"}, "within": "10m", "latency": True},
}


def halves(*lines):
    plan = DecodePlan(model="m")
    opened = msgspec.convert(CONFIG, JsonFormat).open(plan)
    data = b"".join(json.dumps(one).encode() + b"\n" for one in lines)
    return opened.decode(RawBatch(data=data, place="log", position=b""))


def request(one, time, rows=1, **more):
    return {"type": "request", "time": format_time(time), "id": one, "in": [{"x": 1.0, "c": "a"}] * rows} | more


def response(one, time, rows=1, **more):
    return {"type": "response", "time": format_time(time), "id": one, "version": "1", "out": [0.7] * rows} | more


def feed(bench, *batches, finish=True, until=None, now=None):
    """Batches are (source, lines), in one process."""
    store, engine = bench.open(now=now or bench.far, until=until)
    with store:
        for source, lines in batches:
            engine.process(source, halves(*lines))
        if finish:
            engine.advance_when_all_is_read()


def test_a_response_completes_its_request(bench):
    start = bench.start
    feed(bench, ("log", [request("p", start), response("p", start + 250_000)]))
    assert bench.account() == {("request", "joined"): 1, ("prediction", "accepted"): 1}
    [cohort] = bench.cohorts().values()
    assert cohort.summary.predictions == 1


def test_rows_of_one_line_meet_row_by_row(bench):
    start = bench.start
    feed(bench, ("log", [request("p", start, rows=3), response("p", start + SECOND, rows=3)]))
    assert bench.account() == {("request", "joined"): 3, ("prediction", "accepted"): 3}


def test_the_first_half_may_be_the_response_and_stand_in_another_source_or_run(bench):
    start = bench.start
    feed(bench, ("outputs", [response("p", start + SECOND)]), finish=False)
    assert bench.account() == {("response", "held"): 1}
    feed(bench, ("inputs", [request("p", start)]))
    assert bench.account() == {("request", "joined"): 1, ("prediction", "accepted"): 1}


def test_the_prediction_has_the_request_s_time_and_the_time_between_as_its_latency():
    batch = halves(request("p", 10 * HOUR), response("p", 10 * HOUR + 6_500))
    merged = pairing.merge(batch.halves["request"], batch.halves["response"])
    [row] = merged.to_pylist()
    assert format_time(int(row["timestamp"].timestamp() * 1e6)) == format_time(10 * HOUR)
    assert row["latency_ms"] == 6.5
    assert (row["features.x"], row["prediction.score"], row["model_version"]) == (1.0, 0.7, "1")
    assert not {"deadline", "responded"} & set(row)


def test_a_request_without_its_response_fails_and_is_counted_in_its_own_window(bench):
    start = bench.start
    pair = [request("q", start + 2 * HOUR), response("q", start + 2 * HOUR)]
    feed(bench, ("log", [request("p", start + 59 * MINUTE, version="1"), *pair]))
    assert bench.account()["prediction", "accepted"] == 2
    assert bench.value("request.error.ratio", start) == 1.0


def test_a_window_waits_for_the_requests_in_it(bench):
    start = bench.start
    late = start + HOUR + 9 * MINUTE
    feed(bench, ("log", [request("p", start + 59 * MINUTE + 30 * SECOND), request("q", late), response("q", late)]))
    assert bench.windows() == []
    pair = [request("r", start + 3 * HOUR), response("r", start + 3 * HOUR)]
    feed(bench, ("log", [response("p", late + 20 * SECOND), *pair]))
    assert start in bench.windows()
    assert ("prediction", "late") not in bench.account()


def test_a_response_without_its_request_is_an_orphan_in_the_end(bench):
    start = bench.start
    feed(bench, ("log", [response("p", start), request("q", start + HOUR)]))
    assert bench.account() == {("response", "orphan"): 1, ("request", "held"): 1}


def test_a_half_that_comes_again_is_a_duplicate_before_and_after_it_has_met_the_other(bench):
    start = bench.start
    once = [request("p", start), request("p", start), response("p", start)]
    feed(bench, ("log", once), ("log", [response("p", start), request("p", start)]), finish=False)
    assert bench.account() == {
        ("request", "joined"): 1,
        ("request", "duplicate"): 2,
        ("response", "duplicate"): 1,
        ("prediction", "accepted"): 1,
    }


def test_a_half_far_ahead_of_the_clock_is_parked(bench):
    feed(bench, ("log", [request("p", bench.start + 3 * HOUR)]), now=bench.start)
    assert bench.account() == {("request", "parked"): 1}


def test_halves_behind_until_are_held_for_a_later_one(bench):
    start = bench.start
    lines = [request("p", start + 59 * MINUTE), response("p", start + 61 * MINUTE)]
    feed(bench, ("log", lines), until=start + HOUR)
    assert bench.account() == {("request", "held"): 1, ("response", "held"): 1}
    feed(bench, until=start + 3 * HOUR)
    assert bench.account() == {("request", "joined"): 1, ("prediction", "accepted"): 1}


def test_a_service_that_answers_no_more_is_seen_once_its_responses_are_silent(bench):
    start = bench.start
    store, engine = bench.open(now=start)
    with store:
        engine.process("log", halves(request("p", start), response("p", start)))
        bench.clock.moment = start + 20 * MINUTE
        engine.process("log", halves(request("q", start + 8 * MINUTE)))
        engine.advance_while_running()
        assert bench.account()["request", "held"] == 1
        bench.clock.moment = start + 60 * MINUTE
        engine.advance_while_running()
    assert ("request", "held") not in bench.account()
    assert bench.account()["prediction", "accepted"] == 2


def test_what_waits_is_bounded_and_what_is_given_up_is_counted(bench, monkeypatch):
    monkeypatch.setattr(pairing, "WAITING_BYTES", 6_000)
    for number in range(6):
        feed(bench, ("log", [request(f"p{number}", bench.start)]), finish=False)
    account = bench.account()
    assert account["request", "expired"] + account["request", "held"] == 6
    assert account["request", "expired"] > 0


def test_what_has_met_is_forgotten_when_its_time_is_over(bench):
    start = bench.start
    feed(bench, ("log", [request("p", start), response("p", start), request("q", start + HOUR)]))
    with Store.open_read_only(bench.path) as store:
        assert store.connection.execute("SELECT count(*) FROM half").fetchone() == (1,)
        assert store.connection.execute("SELECT count(*) FROM half_batch").fetchone() == (1,)


ONE = st.tuples(st.sampled_from(["request", "response"]), st.integers(0, 5), st.integers(0, 90), st.integers(1, 2))
STORY = st.lists(ONE, min_size=1, max_size=16)


@pytest.mark.parametrize("source", [["log", "log"], ["inputs", "outputs"]])
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(story=STORY, data=st.data())
def test_cuts_and_restarts_change_nothing(make_bench, source, story, data):
    whole, cut = make_bench(), make_bench()
    make = {"request": request, "response": response}
    told = [
        (source[kind == "response"], make[kind](f"p{one}", whole.start + minute * MINUTE, rows))
        for kind, one, minute, rows in story
    ]
    feed(whole, *[(name, [line]) for name, line in told], finish=False)
    begin = 0
    while begin < len(told):
        end = data.draw(st.integers(begin + 1, len(told)))
        runs: list[tuple[str, list[dict[str, Any]]]] = []
        for name, line in told[begin:end]:
            if not runs or runs[-1][0] != name:
                runs.append((name, []))
            runs[-1][1].append(line)
        feed(cut, *runs, finish=False)
        begin = end
    assert cut.account() == whole.account()
    feed(whole)
    feed(cut)
    assert cut.account() == whole.account()
    assert cut.cells() == whole.cells()
    assert sum(whole.account().values()) == sum(rows for *_, rows in story)
