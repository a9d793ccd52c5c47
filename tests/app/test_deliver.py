"""A destination that does not answer holds up no other, and patience ends."""

import time
from dataclasses import dataclass, field

import pytest

from mlvitals.app.deliver import deliver_in_turn, deliver_patiently
from mlvitals.clock import SystemClock
from mlvitals.delivery import MIGRATIONS, Outbox, Outcome, Request, Sender, Verdict
from mlvitals.state import Store


@dataclass
class Destination:
    """Takes requests after refusing some of them for now."""

    name: str
    refuse: int = 0
    pause: float = 0.0
    sent: list[bytes] = field(default_factory=list)

    @property
    def routes(self):
        return ("metrics",)

    def age_limit(self, route):
        del route

    def renew(self, route, requests, now):
        del route, now
        return list(requests)

    def encode(self, points, logs):
        raise NotImplementedError

    def split(self, request):
        raise NotImplementedError

    def send(self, request):
        self.sent.append(request.body)
        time.sleep(self.pause)
        if self.refuse:
            self.refuse -= 1
            return Outcome(verdict=Verdict.RETRY, reason="not now")
        return Outcome(verdict=Verdict.OK)

    def probe(self):
        return Outcome(verdict=Verdict.OK)

    def close(self):
        pass


@pytest.fixture
def outbox(tmp_path):
    with Store.open(tmp_path / "state.db", (MIGRATIONS,)) as store:
        yield Outbox(store)


@pytest.fixture
def sender(outbox):
    """Return a maker of senders with some requests waiting; `jitter` is the share of each pause that is kept."""

    def make(destination, requests=3, jitter=0.0):
        bodies = [Request(route="logs", body=b"%d" % one, items=1, first=0, last=0) for one in range(requests)]
        outbox.enqueue(destination.name, bodies, SystemClock().now())
        return Sender(outbox=outbox, sink=destination, clock=SystemClock(), jitter=lambda: jitter)

    return make


def test_a_destination_that_never_answers_holds_up_no_other(sender):
    dead, well = Destination("dead", refuse=1_000_000), Destination("well")
    dead_report, well_report = deliver_patiently(
        [sender(dead, jitter=1.0), sender(well)], patience=0, parting=0, stop=lambda: False
    )
    assert (dead_report.delivered, dead_report.waiting, dead_report.trouble) == (0, 3, "not now")
    assert (well_report.delivered, well_report.waiting) == (3, 0)
    assert set(dead.sent) == {b"0"}


def test_what_is_refused_for_now_is_taken_in_order_while_patience_lasts(sender):
    late = Destination("late", refuse=4)
    (report,) = deliver_patiently([sender(late)], patience=10, parting=0, stop=lambda: False)
    assert (report.delivered, report.waiting, report.requests) == (3, 0, 7)
    assert late.sent == [b"0"] * 5 + [b"1", b"2"]


def test_patience_counts_from_what_was_taken_last(sender):
    slow = Destination("slow", pause=0.4)
    began = time.monotonic()
    (report,) = deliver_patiently([sender(slow, requests=6)], patience=0.5, parting=0, stop=lambda: False)
    assert (report.delivered, report.waiting) == (6, 0)
    assert time.monotonic() - began > 2


def test_a_wish_to_stop_ends_delivery_whatever_patience_there_is(sender):
    dead = Destination("dead", refuse=1_000_000)
    began = time.monotonic()
    (report,) = deliver_patiently([sender(dead, jitter=1.0)], patience=100, parting=0.5, stop=lambda: True)
    assert report.waiting == 3
    assert time.monotonic() - began < 5


def test_one_turn_is_taken_by_each_though_the_one_before_used_its_own(sender):
    slow, well = Destination("slow", pause=0.6), Destination("well")
    reports = deliver_in_turn([sender(slow, requests=9), sender(well)])
    assert [report.waiting for report in reports] == [7, 0]
