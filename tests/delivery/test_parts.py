"""A destination that answers item by item: only what it could not take yet is sent again, only what it refused dies."""

import json

import pytest

from mlvitals.clock import MINUTE
from mlvitals.delivery import Outcome, Verdict, dead_letters


@pytest.fixture
def parted(bench):
    """Return a maker of outcomes by the numbers that remain and that are refused."""

    def make(verdict, remains=(), refused=(), reason=""):
        return Outcome(
            verdict=verdict,
            reason=reason,
            remains=bench.destination.request(*remains) if remains else None,
            refused=bench.destination.request(*refused) if refused else None,
        )

    return make


def totals(bench):
    return {fate.value: items for fate, items in bench.status().totals.items() if items}


def letters(bench):
    return [(json.loads(one.request.body), one.lost, one.reason) for one in dead_letters(bench.store, "there")]


def test_only_what_remains_is_sent_again_and_before_what_follows(bench, parted):
    bench.enqueue([1, 2, 3], [4])
    bench.answers(parted(Verdict.RETRY, remains=[2, 3]), parted(Verdict.RETRY, remains=[3]))
    report = bench.sender.drain(bench.clock.now() + MINUTE)
    assert bench.destination.sent == [b"[1, 2, 3]", b"[2, 3]", b"[3]", b"[4]"]
    assert (report.delivered, report.rejected, report.complete) == (4, 0, True)
    assert totals(bench) == {"enqueued": 4, "delivered": 4}


def test_only_what_is_refused_becomes_a_dead_letter_with_its_own_bytes(bench, parted):
    bench.enqueue([1, 2, 3])
    bench.answers(parted(Verdict.REJECTED, refused=[2], reason="no number"))
    report = bench.sender.drain(bench.clock.now() + MINUTE)
    assert (report.delivered, report.rejected, report.complete) == (2, 1, False)
    assert letters(bench) == [([2], 1, "no number")]
    assert totals(bench) == {"enqueued": 3, "delivered": 2, "rejected": 1}


def test_an_answer_may_take_refuse_and_put_off_at_once(bench, parted):
    bench.enqueue([1, 2, 3])
    bench.answers(parted(Verdict.RETRY, remains=[3], refused=[2], reason="no number, and busy"))
    report = bench.sender.drain(bench.clock.now() + MINUTE)
    assert bench.destination.sent == [b"[1, 2, 3]", b"[3]"]
    assert (report.delivered, report.rejected) == (2, 1)
    assert letters(bench) == [([2], 1, "no number, and busy")]


def test_a_destination_that_takes_something_is_waited_for_no_longer_each_time(bench, parted):
    bench.enqueue([1, 2, 3, 4])
    bench.answers(*(parted(Verdict.RETRY, remains=rest) for rest in ([2, 3, 4], [3, 4], [4])))
    bench.sender.drain(bench.clock.now() + MINUTE)
    assert bench.waits == [1.0, 1.0, 1.0]


def test_what_is_held_is_what_remains(bench, parted):
    bench.enqueue([1, 2, 3])
    bench.answers(parted(Verdict.MISCONFIGURED, remains=[2, 3], reason="no right to write"))
    report = bench.sender.drain(bench.clock.now() + MINUTE)
    assert (report.delivered, report.waiting, report.held) == (1, 1, True)
    assert report.trouble == "no right to write"
    assert [json.loads(entry.request.body) for entry in bench.outbox.pending("there")] == [[2, 3]]


def test_parts_that_hold_more_than_the_whole_are_a_bug_and_change_nothing(bench):
    bench.enqueue([1])
    (entry,) = bench.outbox.pending("there")
    more = bench.destination.request(1, 2)
    with pytest.raises(ValueError, match="more items than the whole"):
        bench.outbox.take_part(entry, remains=more, refused=None, reason="", now=0)
    assert totals(bench) == {"enqueued": 1}
