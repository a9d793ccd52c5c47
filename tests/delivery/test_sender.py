import json

import pytest

from mlvitals.clock import HOUR, MINUTE, SECOND
from mlvitals.delivery import Bounds, Fate, Outbox, Outcome, Sender, Verdict, dead_letters

OK, REJECTED, RETRY, HELD, POISON = Verdict


def poison(*bad, doubtful=False):
    def answer(numbers):
        found = sorted({*bad} & {*numbers})
        return (
            Outcome(verdict=POISON, reason=f"cannot take {found}", doubtful=doubtful) if found else Outcome(verdict=OK)
        )

    return answer


def test_what_is_taken_leaves_in_order(bench):
    bench.enqueue([1, 2], [3])
    report = bench.sender.drain(bench.clock.now() + MINUTE)
    assert bench.destination.sent == [b"[1, 2]", b"[3]"]
    assert (report.requests, report.delivered, report.waiting, report.complete) == (2, 3, 0, True)
    assert bench.status().totals[Fate.DELIVERED] == 3


def test_a_warning_beside_consent_is_told_and_loses_nothing(bench):
    bench.enqueue([1])
    bench.answers(Outcome(verdict=OK, reason="deprecated"))
    report = bench.sender.drain(bench.clock.now() + MINUTE)
    assert (report.delivered, report.warnings, report.complete) == (1, ["deprecated"], True)


def test_a_partial_success_is_counted_told_and_never_sent_again(bench):
    bench.enqueue([1, 2, 3], [4])
    bench.answers(Outcome(verdict=REJECTED, rejected=2, reason="two are too old"))
    report = bench.sender.drain(bench.clock.now() + MINUTE)
    assert bench.destination.sent == [b"[1, 2, 3]", b"[4]"]
    assert (report.delivered, report.rejected, report.complete) == (2, 2, False)
    assert [(letter.lost, letter.reason) for letter in dead_letters(bench.store, "there")] == [(2, "two are too old")]


def test_what_must_wait_is_sent_again_with_the_same_bytes_before_what_follows(bench):
    bench.enqueue([1], [2])
    bench.answers(RETRY, RETRY)
    report = bench.sender.drain(bench.clock.now() + MINUTE)
    assert bench.destination.sent == [b"[1]", b"[1]", b"[1]", b"[2]"]
    assert bench.waits == [1.0, 2.0]
    assert report.complete


def test_pauses_double_up_to_a_cap_and_are_jittered_whole(bench):
    bench.enqueue([1])
    bench.answers(*[RETRY] * 12)
    bench.sender.drain(bench.clock.now() + HOUR)
    assert bench.waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    bench.waits.clear()
    bench.enqueue([1])
    bench.answers(RETRY, RETRY)
    bench.sender.jitter = iter([0.25, 0.0]).__next__
    bench.sender.drain(bench.clock.now() + HOUR)
    assert bench.waits == [0.25]


def test_success_forgets_earlier_failures(bench):
    bench.enqueue([1], [2])
    bench.answers(RETRY, RETRY, OK, RETRY)
    bench.sender.drain(bench.clock.now() + HOUR)
    assert bench.waits == [1.0, 2.0, 1.0]
    assert bench.status().trouble == ""


def test_a_server_that_asks_for_longer_is_given_longer(bench):
    bench.enqueue([1])
    bench.answers(Outcome(verdict=RETRY, retry_after=60.0), Outcome(verdict=RETRY, retry_after=0.5))
    bench.sender.drain(bench.clock.now() + HOUR)
    assert bench.waits == [60.0, 2.0]


def test_a_server_cannot_ask_for_more_than_an_hour(bench):
    bench.enqueue([1])
    bench.answers(Outcome(verdict=RETRY, retry_after=1e9))
    bench.sender.drain(bench.clock.now() + 2 * HOUR)
    assert bench.waits == [3600.0]


def test_a_wait_beyond_the_deadline_is_left_to_the_next_drain_even_of_another_process(bench):
    bench.enqueue([1])
    bench.answers(Outcome(verdict=RETRY, reason="HTTP 503", retry_after=60.0))
    report = bench.sender.drain(bench.clock.now() + 30 * SECOND)
    assert (bench.waits, report.waiting, report.trouble, report.held) == ([], 1, "HTTP 503", False)
    assert not report.complete
    again = Sender(outbox=bench.outbox, sink=bench.destination, clock=bench.clock, wait=bench.sender.wait)
    assert again.drain(bench.clock.now() + 61 * SECOND).complete
    assert bench.waits == [60.0]


def test_nothing_is_sent_after_the_deadline(bench):
    bench.enqueue([1])
    assert bench.sender.drain(bench.clock.now()).requests == 0
    assert bench.destination.sent == []


def test_a_clock_that_is_set_back_does_not_silence_a_destination(bench):
    bench.enqueue([1])
    bench.answers(RETRY)
    bench.sender.drain(bench.clock.now() + SECOND)
    bench.clock.moment -= 1000 * HOUR
    assert bench.sender.drain(bench.clock.now() + 2 * HOUR).complete
    assert bench.waits == []


def test_a_misconfigured_destination_is_held_and_probed_once_for_each_drain(bench):
    bench.enqueue([1], [2])
    bench.answers(Outcome(verdict=HELD, reason="HTTP 401"), Outcome(verdict=HELD, reason="HTTP 403"))
    for reason in ("HTTP 401", "HTTP 403"):
        report = bench.sender.drain(bench.clock.now() + MINUTE)
        assert (report.requests, report.waiting, report.held, report.trouble) == (1, 2, True, reason)
        assert bench.status().since == bench.clock.now()
    report = bench.sender.drain(bench.clock.now() + MINUTE)
    assert (report.requests, report.complete, report.held) == (2, True, False)
    assert bench.waits == []


@pytest.mark.parametrize("bad", [{1}, {5}, {8}, {1, 8}, {4, 5}, set(range(1, 9))])
def test_poison_is_found_by_halves_and_all_else_is_delivered(bench, bad):
    bench.enqueue(list(range(1, 9)), [9])
    bench.destination.answer = poison(*bad)
    report = bench.sender.drain(bench.clock.now() + MINUTE)
    assert (report.dead, report.delivered, report.waiting) == (len(bad), 9 - len(bad), 0)
    letters = list(dead_letters(bench.store, "there"))
    assert [json.loads(letter.request.body) for letter in letters] == [[number] for number in sorted(bad)]
    assert letters[0].reason == f"cannot take {sorted(bad)[:1]}"
    taken = [number for body in bench.destination.sent for number in json.loads(body) if not bad & {*json.loads(body)}]
    assert taken == [number for number in range(1, 10) if number not in bad]


def test_poison_shows_that_the_destination_is_well_again(bench):
    bench.enqueue([1])
    bench.answers(Outcome(verdict=RETRY, reason="HTTP 503"), POISON)
    assert bench.sender.drain(bench.clock.now() + MINUTE).trouble == ""
    assert bench.status().since is None


def test_one_item_on_which_the_server_fails_is_buried(bench):
    bench.enqueue(list(range(20)))
    bench.destination.answer = poison(3, 12, doubtful=True)
    report = bench.sender.drain(bench.clock.now() + MINUTE)
    assert (report.dead, report.delivered, report.held) == (2, 18, False)


def test_a_server_that_fails_on_everything_is_held_before_the_queue_is_buried(bench):
    bench.enqueue(list(range(1000)))
    bench.destination.answer = poison(*range(1000), doubtful=True)
    report = bench.sender.drain(bench.clock.now() + MINUTE)
    assert (report.dead, report.held) == (5, True)
    assert report.trouble == "one item after the other is refused: cannot take [4]"
    later = Sender(outbox=bench.outbox, sink=bench.destination, clock=bench.clock, wait=bench.sender.wait)
    assert later.drain(bench.clock.now() + SECOND // 2).requests == 0
    assert later.drain(bench.clock.now() + MINUTE).dead == 1
    bench.answers(OK)
    assert later.drain(bench.clock.now() + HOUR).delivered == 994
    assert bench.status().totals[Fate.DEAD] == 6


def test_what_is_too_old_expires_before_anything_is_sent(bench):
    bench.sender.outbox = Outbox(bench.store, {"there": Bounds(age=HOUR)})
    bench.enqueue([1, 2])
    bench.clock.moment += HOUR // 2
    bench.enqueue([3])
    for _ in range(2):
        bench.clock.moment += HOUR // 4 + 1
        bench.sender.outbox.resume("there", bench.clock.now())
    report = bench.sender.drain(bench.clock.now() + MINUTE)
    assert bench.destination.sent == [b"[3]"]
    assert (report.expired, report.delivered, report.complete) == (2, 1, False)


def test_a_crash_between_the_answer_and_its_commit_sends_the_same_bytes_again(bench, crash):
    bench.enqueue([1, 2], [3])

    def dies(_):
        raise crash

    bench.destination.answer = dies
    with pytest.raises(crash):
        bench.sender.drain(bench.clock.now() + MINUTE)
    bench.answers()
    assert bench.sender.drain(bench.clock.now() + MINUTE).complete
    assert bench.destination.sent == [b"[1, 2]", b"[1, 2]", b"[3]"]
    assert bench.status().totals[Fate.DELIVERED] == 3
