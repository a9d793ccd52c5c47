import json
from dataclasses import replace

import pytest

from mlvitals.clock import DAY, HOUR
from mlvitals.delivery import Bounds, Fate, Outbox, Request, dead_letters, queue_statuses
from mlvitals.state import Store


def numbers(outbox):
    return [json.loads(entry.request.body) for entry in outbox.pending("there")]


def test_requests_leave_in_the_order_in_which_they_came(bench):
    bench.enqueue([3], [1])
    bench.enqueue([2])
    assert numbers(bench.outbox) == [[3], [1], [2]]
    assert bench.outbox.oldest("there", "metrics").request == bench.destination.request(3)


def test_a_request_waits_as_its_very_bytes(bench):
    request = Request(route="logs", body=bytes(range(256)), items=2, first=-5, last=7)
    bench.outbox.enqueue("there", [request], 0)
    assert bench.outbox.oldest("there", "logs").request == request


def test_requests_are_kept_with_the_callers_transaction_or_not_at_all(bench, crash):
    def die_within():
        with bench.store.transaction():
            bench.enqueue([1])
            assert bench.outbox.waiting("there") == 1
            raise crash

    with pytest.raises(crash):
        die_within()
    assert bench.outbox.waiting("there") == 0
    assert queue_statuses(bench.store) == []


def test_destinations_do_not_see_each_other(bench):
    bench.enqueue([1, 2])
    bench.outbox.enqueue("elsewhere", [bench.destination.request(3)], bench.clock.now())
    bench.outbox.postpone("elsewhere", "metrics", 5, "down", 1)
    bench.outbox.deliver(bench.outbox.oldest("there", "metrics"))
    elsewhere, there = queue_statuses(bench.store)
    assert (elsewhere.destination, elsewhere.requests, elsewhere.trouble) == ("elsewhere", 1, "down")
    assert (there.destination, there.requests, there.trouble) == ("there", 0, "")
    assert there.totals[Fate.DELIVERED] == 2


def test_a_queue_keeps_its_newest_bytes_and_what_may_be_on_its_way_until_its_sender_lets_it_go(bench):
    outbox = Outbox(bench.store, {"there": Bounds(size=10)})  # each body has three bytes: [1]
    outbox.enqueue("there", [bench.destination.request(number) for number in range(5)], bench.clock.now())
    assert numbers(outbox) == [[0], [2], [3], [4]]
    assert outbox.expire("there", bench.clock.now()) == 1
    assert numbers(outbox) == [[2], [3], [4]]
    status = bench.status()
    assert (status.size, status.totals[Fate.ENQUEUED], status.totals[Fate.EXPIRED]) == (9, 5, 2)


def test_of_each_route_the_first_may_be_on_its_way(bench):
    outbox = Outbox(bench.store, {"there": Bounds(size=0)})
    requests = [
        replace(bench.destination.request(number), route="odd" if number % 2 else "even") for number in range(6)
    ]
    outbox.enqueue("there", requests, bench.clock.now())
    assert numbers(outbox) == [[0], [1]]


def test_a_bound_that_is_just_met_expires_nothing(bench):
    outbox = Outbox(bench.store, {"there": Bounds(size=9, age=HOUR)})
    outbox.enqueue("there", [bench.destination.request(number) for number in range(3)], bench.clock.now())
    assert outbox.expire("there", bench.clock.now() + HOUR) == 0
    assert outbox.expire("there", bench.clock.now() + HOUR + 1) == 3


def test_a_queue_forgets_what_is_too_old_and_counts_it(bench):
    outbox = Outbox(bench.store, {"there": Bounds(age=DAY)})
    outbox.enqueue("there", [bench.destination.request(1, 2)], bench.clock.now())
    bench.clock.moment += DAY
    outbox.enqueue("there", [bench.destination.request(3)], bench.clock.now())
    assert outbox.expire("there", bench.clock.now()) == 0
    assert numbers(outbox) == [[1, 2], [3]]
    assert outbox.expire("there", bench.clock.now() + 1) == 2
    assert numbers(outbox) == [[3]]
    assert bench.status().totals[Fate.EXPIRED] == 2


def test_one_queues_bound_is_not_anothers(bench):
    outbox = Outbox(bench.store, {"there": Bounds(size=0)})
    outbox.enqueue("elsewhere", [bench.destination.request(1)], bench.clock.now())
    outbox.enqueue("there", [bench.destination.request(1)], bench.clock.now())
    outbox.expire("there", bench.clock.now())
    assert (outbox.waiting("elsewhere"), outbox.waiting("there")) == (1, 0)


def test_the_pieces_of_a_request_take_its_place(bench):
    bench.enqueue([1, 2, 3, 4], [5])
    for _ in range(2):
        whole = bench.outbox.oldest("there", "metrics")
        bench.outbox.split(whole, bench.destination.split(whole.request))
    assert numbers(bench.outbox) == [[1], [2], [3, 4], [5]]
    bench.enqueue([6])
    assert numbers(bench.outbox)[-1] == [6]


def test_pieces_that_lose_an_item_are_refused(bench):
    bench.enqueue([1, 2, 3])
    with pytest.raises(ValueError, match="do not carry the items"):
        bench.outbox.split(bench.outbox.oldest("there", "metrics"), [bench.destination.request(1)])
    assert numbers(bench.outbox) == [[1, 2, 3]]


def test_a_request_meets_its_fate_once(bench):
    bench.enqueue([1])
    entry = bench.outbox.oldest("there", "metrics")
    bench.outbox.deliver(entry)
    for again in (
        lambda: bench.outbox.deliver(entry),
        lambda: bench.outbox.reject(entry, 1, "", 0),
        lambda: bench.outbox.bury(entry, "", 0, recovered=True),
        lambda: bench.outbox.split(entry, [entry.request]),
    ):
        with pytest.raises(LookupError, match="has already met its fate"):
            again()
    assert bench.status().totals == dict.fromkeys(Fate, 0) | {Fate.ENQUEUED: 1, Fate.DELIVERED: 1}


def test_a_dead_letter_keeps_the_body_and_the_reason(bench):
    bench.enqueue([1, 2], [3])
    bench.outbox.reject(bench.outbox.oldest("there", "metrics"), 1, "too old", 8)
    bench.outbox.bury(bench.outbox.oldest("there", "metrics"), "bad", 9, recovered=True)
    partial, dead = dead_letters(bench.store, "there")
    assert (partial.fate, partial.lost, partial.reason, partial.buried) == (Fate.REJECTED, 1, "too old", 8)
    assert partial.request == bench.destination.request(1, 2)
    assert (dead.fate, dead.lost, dead.reason, dead.buried) == (Fate.DEAD, 1, "bad", 9)
    assert dead.request == bench.destination.request(3)


def test_a_destination_cannot_refuse_more_than_it_was_sent(bench):
    bench.enqueue([1, 2])
    assert bench.outbox.reject(bench.outbox.oldest("there", "metrics"), 10**12, "", 0) == 2
    assert bench.status().totals[Fate.DELIVERED] == 0


def test_dead_letters_do_not_fill_the_disk(bench):
    outbox = Outbox(bench.store, {"there": Bounds(letters=7)})
    outbox.enqueue("there", [bench.destination.request(number) for number in range(5)], bench.clock.now())
    while entry := outbox.oldest("there", "metrics"):
        outbox.bury(entry, "bad", 0, recovered=True)
    assert [letter.request.first for letter in dead_letters(bench.store, "there")] == [3, 4]
    assert bench.status().totals[Fate.DEAD] == 5


def test_status_can_be_read_while_another_process_writes(bench):
    bench.enqueue([1, 2], [3])
    bench.clock.moment += HOUR
    bench.enqueue([4])
    bench.outbox.postpone("there", "metrics", 77, "HTTP 401", 55, hold=True)
    with Store.open_read_only(bench.store.path) as reader:
        (status,) = queue_statuses(reader)
    assert (status.requests, status.items, status.size) == (3, 4, len("[1, 2][3][4]"))
    assert status.oldest == bench.clock.now() - HOUR
    assert (status.trouble, status.held, status.since) == ("HTTP 401", True, 55)
    assert [(lane.route, lane.requests, lane.not_before) for lane in status.lanes] == [("metrics", 3, 77)]
