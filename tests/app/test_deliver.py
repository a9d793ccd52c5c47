"""A destination that does not answer holds up no other, and patience ends."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest

from mlvitals.app.deliver import deliveries
from mlvitals.clock import SystemClock
from mlvitals.delivery import MIGRATIONS, Outbox, Outcome, Request, Sender, Verdict
from mlvitals.state import Store
from tests.delivery.test_full_disk import full_disk

SECONDS = 20.0


def open_gate() -> threading.Event:
    gate = threading.Event()
    gate.set()
    return gate


@dataclass
class Destination:
    """Takes requests after refusing some of them for now; `hang` is waited for before each answer."""

    name: str
    refuse: int = 0
    retry_after: float | None = None
    pause: float = 0.0
    held: str = ""  # a route whose key is wrong
    broken: bool = False
    routes: tuple[str, ...] = ("logs",)
    hang: threading.Event = field(default_factory=open_gate)
    sent: list[bytes] = field(default_factory=list)

    @property
    def renewal(self):
        return None

    def encode(self, points, logs):
        del points, logs
        return []

    def split(self, request):
        del request
        return []

    def send(self, request):
        self.sent.append(request.body)
        time.sleep(self.pause)
        self.hang.wait(SECONDS)
        if self.broken:
            raise RuntimeError(self.name)
        if self.held == request.route:
            return Outcome(verdict=Verdict.MISCONFIGURED, reason="wrong key")
        if self.refuse:
            self.refuse -= 1
            return Outcome(verdict=Verdict.RETRY, reason="not now", retry_after=self.retry_after)
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
def enqueue(outbox):
    def put(destination, *numbers, route="logs"):
        bodies = [Request(route=route, body=b"%d" % one, items=1, first=0, last=0) for one in numbers]
        outbox.enqueue(destination.name, bodies, SystemClock().now())

    return put


@pytest.fixture
def sender(outbox, enqueue):
    """Return a maker of senders with some requests waiting; `jitter` is the share of each pause that is kept."""

    def make(destination, requests=3, jitter=0.0):
        enqueue(destination, *range(requests))
        return Sender(outbox=outbox, sink=destination, clock=SystemClock(), jitter=lambda: jitter)

    return make


def deliver(*senders, patience=10.0, parting=0.0, stop=lambda: False):
    with deliveries(senders, at_once=True) as running:
        running.wait(patience=patience, parting=parting, stop=stop)
        running.stop()
        return running.reports()


def wait_for(condition):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_destination_that_never_answers_holds_up_no_other(sender):
    dead, well = Destination("dead", refuse=1_000_000), Destination("well")
    dead_report, well_report = deliver(sender(dead, jitter=1.0), sender(well), patience=0)
    assert (dead_report.delivered, dead_report.waiting, dead_report.trouble) == (0, 3, "not now")
    assert (well_report.delivered, well_report.waiting) == (3, 0)
    assert set(dead.sent) == {b"0"}


def test_a_destination_that_hangs_delays_no_other_while_more_is_enqueued(sender, enqueue):
    hanging, well = Destination("hanging", hang=threading.Event()), Destination("well")
    with deliveries([sender(hanging), sender(well)], at_once=True) as running:
        for number in range(3, 20):
            enqueue(well, number)
            wait_for(lambda number=number: len(well.sent) > number)
        assert hanging.sent == [b"0"]
        hanging.hang.set()
        running.wait(patience=10, parting=0, stop=lambda: False)
        assert [report.delivered for report in running.reports()] == [3, 20]


def test_what_is_refused_for_now_is_taken_in_order_while_patience_lasts(sender):
    late = Destination("late", refuse=4)
    (report,) = deliver(sender(late))
    assert (report.delivered, report.waiting, report.requests) == (3, 0, 7)
    assert late.sent == [b"0"] * 5 + [b"1", b"2"]


def test_patience_counts_from_what_was_taken_last(sender):
    slow = Destination("slow", pause=0.4)
    began = time.monotonic()
    (report,) = deliver(sender(slow, requests=6), patience=0.5)
    assert (report.delivered, report.waiting) == (6, 0)
    assert time.monotonic() - began > 2


def test_patience_ends_though_one_more_try_is_always_on_its_way(sender, enqueue):
    dead = Destination("dead", refuse=1_000_000, pause=0.05, routes=("metrics", "logs"))
    enqueue(dead, 7, route="metrics")
    also_dead = Destination("also dead", refuse=1_000_000, pause=0.05)
    began = time.monotonic()
    reports = deliver(sender(dead), sender(also_dead), patience=0.5, stop=lambda: time.monotonic() > began + 10)
    assert 0.5 <= time.monotonic() - began < 5
    assert [report.waiting for report in reports] == [4, 3]
    assert len(dead.sent) > 2, "each of its lanes once, and again"


def test_patience_lasts_until_all_that_waits_was_tried(sender, enqueue):
    slow = Destination("slow", pause=0.3, routes=("metrics", "logs"))
    enqueue(slow, 7, route="metrics")
    (report,) = deliver(sender(slow, requests=1), patience=0)
    assert (report.delivered, report.waiting) == (2, 0)


def test_patience_ends_though_a_full_disk_lets_no_answer_be_written_down(sender):
    answering = Destination("answering", hang=threading.Event())
    began = time.monotonic()
    with deliveries([sender(answering)], at_once=True) as running:
        wait_for(lambda: answering.sent)
        with full_disk():
            answering.hang.set()
            running.wait(patience=0.5, parting=0, stop=lambda: time.monotonic() > began + 10)
            assert 0.5 <= time.monotonic() - began < 5
            assert [(one.waiting, one.trouble) for one in running.reports()] == [(3, "the disk takes no more")]
        assert answering.sent == [b"0"]


def test_what_may_not_be_tried_before_patience_ends_is_not_waited_for(sender):
    busy = Destination("busy", refuse=1, retry_after=600.0)
    began = time.monotonic()
    (report,) = deliver(sender(busy), patience=100)
    assert (report.waiting, report.held, report.trouble) == (3, False, "not now")
    assert time.monotonic() - began < 5


def test_a_wish_to_stop_ends_delivery_whatever_patience_there_is(sender):
    dead = Destination("dead", refuse=1_000_000)
    began = time.monotonic()
    (report,) = deliver(sender(dead, jitter=1.0), patience=100, parting=0.5, stop=lambda: True)
    assert report.waiting == 3
    assert time.monotonic() - began < 5


def test_a_lane_that_is_held_is_not_waited_for_and_holds_up_no_other_lane(sender, enqueue):
    held = Destination("held", held="metrics", routes=("metrics", "logs"))
    enqueue(held, 7, route="metrics")
    began = time.monotonic()
    (report,) = deliver(sender(held), patience=100)
    assert (report.delivered, report.waiting, report.held, report.trouble) == (3, 1, True, "wrong key")
    assert time.monotonic() - began < 5


def test_a_request_that_is_cut_off_at_the_end_is_sent_again_by_the_next_sender(sender, outbox):
    hanging = Destination("hanging", hang=threading.Event())
    began = time.monotonic()
    (report,) = deliver(sender(hanging), parting=0.1, stop=lambda: True)
    assert (report.delivered, report.waiting) == (0, 3)
    assert time.monotonic() - began < 5
    hanging.hang.set()  # the answer comes after all, and changes nothing
    time.sleep(0.1)
    assert outbox.waiting("hanging") == 3
    (report,) = deliver(Sender(outbox=outbox, sink=hanging, clock=SystemClock()))
    assert (report.delivered, report.waiting) == (3, 0)
    assert Counter(hanging.sent) == {b"0": 2, b"1": 1, b"2": 1}


def test_what_is_enqueued_leaves_at_once_when_it_is_durable(sender, enqueue, outbox):
    well = Destination("well")
    with deliveries([sender(well)], at_once=True) as running:
        running.wait(patience=10, parting=0, stop=lambda: False)
        time.sleep(0.1)
        with outbox.store.transaction():
            enqueue(well, 3)
            time.sleep(0.05)
            assert len(well.sent) == 3
        began = time.monotonic()
        wait_for(lambda: len(well.sent) == 4)
        assert time.monotonic() - began < 2


def test_a_bug_of_a_sink_is_raised_where_the_job_runs(sender):
    with deliveries([sender(Destination("broken", broken=True))], at_once=True) as running:

        def go_on():
            while True:
                running.check()
                time.sleep(0.005)

        with pytest.raises(RuntimeError, match="broken"):
            go_on()
