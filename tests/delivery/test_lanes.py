"""Each route of a destination is a queue of its own: a lane in trouble holds up no other."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from mlvitals.clock import HOUR, MINUTE, SECOND
from mlvitals.delivery import Outcome, Request, Sender, Verdict


@dataclass
class Lanes:
    """A bench whose destination has two routes, each answered by a script of its own, then `ok`."""

    bench: Any
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    script: dict[str, list[Outcome]] = field(default_factory=lambda: {"metrics": [], "logs": []})
    leave: bool = False

    def send(self, request: Request) -> Outcome:
        self.sent.append((request.route, request.body))
        if self.leave:
            self.bench.sender.leave()
        script = self.script[request.route]
        return script.pop(0) if script else Outcome(verdict=Verdict.OK)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bench, name)


@pytest.fixture
def lanes(bench, monkeypatch):
    made = Lanes(bench)
    bench.destination.routes = ("metrics", "logs")
    monkeypatch.setattr(bench.destination, "send", made.send)
    return made


def routes(lanes):
    return [route for route, _ in lanes.sent]


def test_lanes_take_turns(lanes):
    lanes.enqueue([1], [2], [3], route="metrics")
    lanes.enqueue([4], [5], route="logs")
    assert lanes.sender.drain(lanes.clock.now() + MINUTE).complete
    assert routes(lanes) == ["metrics", "logs", "metrics", "logs", "metrics"]
    assert [body for route, body in lanes.sent if route == "metrics"] == [b"[1]", b"[2]", b"[3]"]


def test_a_lane_that_waits_holds_up_no_other(lanes):
    lanes.enqueue([1], [2], route="metrics")
    lanes.enqueue([3], [4], route="logs")
    lanes.script["metrics"] = [Outcome(verdict=Verdict.RETRY, reason="busy", retry_after=30.0)]
    report = lanes.sender.drain(lanes.clock.now() + 20 * SECOND)
    assert routes(lanes) == ["metrics", "logs", "logs"]
    assert (report.delivered, report.waiting, report.trouble) == (2, 2, "busy")
    assert lanes.waits == []


def test_a_lane_that_is_held_holds_up_no_other_and_is_told_by_its_route(lanes):
    lanes.enqueue([1], [2], route="metrics")
    lanes.enqueue([3], [4], route="logs")
    lanes.script["metrics"] = [Outcome(verdict=Verdict.MISCONFIGURED, reason="HTTP 403")]
    report = lanes.sender.drain(lanes.clock.now() + MINUTE)
    assert (report.delivered, report.waiting, report.held) == (2, 2, True)
    (lane,) = lanes.status().lanes
    assert (lane.route, lane.requests, lane.items, lane.trouble, lane.held) == ("metrics", 2, 2, "HTTP 403", True)


def test_what_one_lane_takes_is_no_sign_that_another_is_well(lanes):
    lanes.enqueue([1], route="metrics")
    lanes.script["metrics"] = [Outcome(verdict=Verdict.RETRY, reason="busy", retry_after=3000.0)]
    lanes.sender.drain(lanes.clock.now() + SECOND)
    lanes.enqueue([2], route="logs")
    assert lanes.sender.drain(lanes.clock.now() + SECOND).delivered == 1
    assert lanes.status().trouble == "busy"


def test_an_outage_of_one_lane_leaves_the_doubts_of_another(lanes):
    lanes.enqueue(*[[number] for number in range(8)], route="metrics")
    lanes.enqueue(*[[number] for number in range(8)], route="logs")
    doubtful = Outcome(verdict=Verdict.POISON, reason="HTTP 500", doubtful=True)
    lanes.script["metrics"] = [doubtful] * 8
    report = lanes.sender.drain(lanes.clock.now() + SECOND)
    assert (report.dead, report.delivered, report.held) == (5, 8, True)


def test_what_leads_nowhere_any_more_is_held_and_told(lanes):
    lanes.enqueue([1], route="traces")
    lanes.enqueue([2], route="logs")
    report = lanes.sender.drain(lanes.clock.now() + MINUTE)
    assert (report.delivered, report.waiting, report.held) == (1, 1, True)
    assert report.trouble == "`traces` is no route of this destination any more"


def test_a_sender_looks_now_and_then_whether_what_held_it_is_mended(lanes):
    lanes.enqueue([1], route="logs")
    lanes.script["logs"] = [Outcome(verdict=Verdict.MISCONFIGURED, reason="HTTP 401")] * 20
    report = lanes.sender.drain(lanes.clock.now() + MINUTE)
    tries, began = 0, lanes.clock.now()
    while lanes.outbox.waiting("there"):
        pause = lanes.sender.pause()
        assert pause is not None
        assert 0 < pause <= 300
        lanes.sender.wait(pause)
        tries += lanes.sender.step(report)
    assert tries == 20
    assert lanes.clock.now() - began > HOUR


def test_a_sender_that_is_left_touches_the_outbox_no_more(lanes):
    lanes.enqueue([1], route="logs")
    lanes.leave = True
    report = lanes.sender.drain(lanes.clock.now() + MINUTE)
    assert (report.requests, report.waiting) == (0, 1)
    lanes.leave = False
    again = Sender(outbox=lanes.outbox, sink=lanes.destination, clock=lanes.clock, wait=lanes.sender.wait)
    assert again.drain(lanes.clock.now() + MINUTE).complete
    assert lanes.sent == [("logs", b"[1]")] * 2
