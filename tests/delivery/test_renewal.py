"""Law 8: after an outage the newest of each series leaves at once, and every log follows; the rest is counted."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from mlvitals.clock import DAY, HOUR, MINUTE, SECOND, FixedClock
from mlvitals.delivery import (
    MIGRATIONS,
    Bounds,
    Fate,
    Outbox,
    Outcome,
    Renewal,
    Request,
    Sender,
    Verdict,
    queue_statuses,
)
from mlvitals.state import Store

NOON = 1_700_000_000 * SECOND


def request(route: str, *items: tuple[str, int, int]) -> Request:
    """Return a request of items: a series, a stamp and what it tells (the stamp that it had at first)."""
    stamps = [stamp for _, stamp, _ in items]
    body = json.dumps(items).encode()
    return Request(route=route, body=body, items=len(items), first=min(stamps), last=max(stamps))


@dataclass
class Forgetful:
    """A destination that drops points of more than an hour and logs of more than a day, and counts what it dropped."""

    clock: FixedClock
    up: bool = True
    name: str = "there"
    routes: tuple[str, ...] = ("metrics", "logs")
    taken: list[tuple[str, str, int, int]] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    dropped: int = 0
    read_at_once: int = 0
    given: list[int] = field(default_factory=list)

    @property
    def renewal(self) -> Renewal:
        return self

    def age_limit(self, route: str) -> int:
        return HOUR if route == "metrics" else DAY

    def renew(self, route: str, requests: Iterable[Request], now: int) -> list[Request]:
        items = []
        self.given.append(0)
        for one in requests:
            self.given[-1] += len(one.body)
            items += json.loads(one.body)
        limit = now - self.age_limit(route) // 2
        if route == "logs":
            return [request(route, *((name, max(stamp, limit), first) for name, stamp, first in items))]
        young = [item for item in items if item[1] >= limit]
        newest = {item[0]: (item[0], now, item[2]) for item in items if item[1] < limit}
        told = [item for name, item in newest.items() if name not in {other for other, *_ in young}]
        return [request(route, *told, *young)]

    def send(self, one: Request) -> Outcome:
        self.sent.append(one.body)
        if not self.up:
            return Outcome(verdict=Verdict.RETRY, reason="down")
        for name, stamp, first in json.loads(one.body):
            if stamp < self.clock.now() - self.age_limit(one.route):
                self.dropped += 1
            else:
                self.taken.append((one.route, name, stamp, first))
        return Outcome(verdict=Verdict.OK)

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"nobody asks for {name}")


@dataclass
class Road:
    store: Store
    clock: FixedClock
    destination: Forgetful
    outbox: Outbox
    sender: Sender

    def close_window(self, end: int, series: tuple[str, ...] = ("a", "b")) -> None:
        requests = [request(route, *((name, end, end) for name in series)) for route in ("metrics", "logs")]
        self.outbox.enqueue("there", requests, self.clock.now())

    def live(self, hours: int, since: int = NOON) -> None:
        """Close a window and try to deliver, every hour."""
        for hour in range(hours):
            self.clock.moment = since + hour * HOUR
            self.close_window(self.clock.moment)
            self.sender.drain(self.clock.now() + MINUTE)

    def totals(self) -> dict[str, int]:
        (status,) = queue_statuses(self.store)
        found = {fate.value: items for fate, items in status.totals.items()}
        assert found.pop("enqueued") == sum(found.values()) + status.items
        return {name: items for name, items in found.items() if items}


@pytest.fixture
def road(tmp_path):
    store = Store.open(tmp_path / "state.db", [MIGRATIONS])
    clock = FixedClock(NOON)
    destination, outbox = Forgetful(clock), Outbox(store)

    def wait(seconds):
        clock.moment += round(seconds * SECOND)

    sender = Sender(outbox=outbox, sink=destination, clock=clock, wait=wait, jitter=lambda: 1.0)
    yield Road(store, clock, destination, outbox, sender)
    store.close()


def test_what_is_young_enough_leaves_as_it_is(road):
    road.live(5)
    assert road.destination.given == []
    assert [first for route, _, _, first in road.destination.taken if route == "metrics"] == sorted(
        [NOON + hour * HOUR for hour in range(5)] * 2
    )
    assert road.totals() == {"delivered": 20}


def test_after_a_day_the_newest_of_each_series_leaves_at_once_and_every_log_follows(road):
    road.destination.up = False
    road.close_window(NOON - HOUR // 2, ("gone",))
    road.live(24)
    road.destination.up = True
    road.live(1, NOON + 24 * HOUR)
    destination = road.destination
    assert destination.dropped == 0
    metrics = [(name, first) for route, name, _, first in destination.taken if route == "metrics"]
    newest = NOON + 24 * HOUR
    assert dict(metrics) == {"gone": NOON - HOUR // 2, "a": newest, "b": newest}
    logs = sorted((name, first) for route, name, _, first in destination.taken if route == "logs")
    assert logs == sorted([("gone", NOON - HOUR // 2)] + [(n, NOON + h * HOUR) for h in range(25) for n in "ab"])
    totals = road.totals()
    assert totals["superseded"] + len(metrics) == 51
    assert totals["delivered"] == len(metrics) + 51


def test_a_series_is_never_told_twice_of_one_moment(road):
    road.destination.up = False
    road.live(30)
    road.destination.up = True
    for step in range(20):
        road.clock.moment += 3 * SECOND
        road.close_window(NOON + step * HOUR)  # a backfill goes on meanwhile
        road.sender.drain(road.clock.now() + SECOND)
    road.sender.drain(road.clock.now() + MINUTE)
    moments = [(name, stamp) for route, name, stamp, _ in road.destination.taken if route == "metrics"]
    assert len(set(moments)) == len(moments)
    assert road.destination.dropped == 0


def test_what_was_told_anew_is_sent_again_to_the_byte(road):
    road.destination.up = False
    road.live(3)
    before = len(road.destination.sent)
    for _ in range(5):
        road.clock.moment += 5 * MINUTE
        road.sender.drain(road.clock.now() + SECOND)
    again = [body for body in road.destination.sent[before:] if json.loads(body)[0][1] == json.loads(body)[0][1]]
    metrics = {body for body in again if NOON + 2 * HOUR in {item[2] for item in json.loads(body)}}
    assert len(metrics) == 1
    road.destination.up = True
    road.clock.moment += 5 * MINUTE
    road.sender.drain(road.clock.now() + SECOND)
    assert road.destination.sent[-1] in metrics or road.destination.sent[-2] in metrics


def test_an_outage_of_a_month_costs_no_more_room_than_its_series(road):
    road.destination.up = False
    road.live(24 * 30)
    lanes = {lane.route: lane for lane in queue_statuses(road.store)[0].lanes}
    assert lanes["metrics"].items <= 6
    assert lanes["metrics"].size < 500
    assert len(road.outbox.oldest("there", "metrics").part) < 64


def test_what_was_told_anew_stands_before_what_comes_later_and_can_be_split(road):
    road.destination.up = False
    road.live(4)
    head = road.outbox.oldest("there", "metrics")
    halves = [request("metrics", item) for item in json.loads(head.request.body)]
    road.outbox.split(head, halves)
    assert road.outbox.oldest("there", "metrics").request == halves[0]
    road.close_window(road.clock.now())
    assert road.outbox.oldest("there", "metrics").request == halves[0]


def test_logs_are_told_anew_piece_by_piece_in_their_order(road, monkeypatch):
    monkeypatch.setattr("mlvitals.delivery.renewal._LOGS_AT_A_TIME", 400)
    road.destination.up = False
    road.live(40)
    road.destination.up = True
    road.live(1, NOON + 40 * HOUR)
    logs = [first for route, _, _, first in road.destination.taken if route == "logs"]
    assert logs == sorted(logs)
    assert len(logs) == 82
    assert road.destination.dropped == 0
    in_pieces = [given for given in road.destination.given if given > 0]
    assert len(in_pieces) > 4


def test_what_expires_while_it_is_told_anew_counts_as_expired_alone(road):
    outbox = Outbox(road.store, {"there": Bounds(size=450)})
    for hour in range(3):
        road.close_window(NOON + hour * HOUR)
    road.clock.moment += 4 * HOUR
    renew = road.destination.renew
    calls: list[str] = []

    def overtaken(route, requests, now):
        made = renew(route, requests, now)
        if not calls:
            outbox.enqueue("there", [request("logs", *[("x", now, now)] * 8)], now)
        calls.append(route)
        return made

    road.destination.renew = overtaken
    road.sender.drain(road.clock.now() + MINUTE)
    assert calls[:2] == ["metrics", "metrics"]  # the first time was in vain
    assert road.destination.dropped == 0
    totals = road.totals()
    assert totals["expired"] > 0
    assert totals["delivered"] == len(road.destination.taken)


def test_a_sink_cannot_make_more_of_what_it_was_given(road):
    road.destination.up = False
    road.live(1)
    road.destination.renew = lambda route, requests, now: [*requests, request(route, ("a", now, now))]
    road.clock.moment += 2 * HOUR
    with pytest.raises(ValueError, match="more items than those"):
        road.sender.drain(road.clock.now() + SECOND)
    assert Fate.SUPERSEDED.value not in road.totals()
