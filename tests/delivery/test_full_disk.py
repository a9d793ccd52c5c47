"""An answer that a full disk does not let us write down is kept in memory: nothing is sent again in vain."""

import resource
import sqlite3
from contextlib import contextmanager

import pytest

from mlvitals.clock import MINUTE
from mlvitals.delivery import DrainReport, Outcome, Verdict
from mlvitals.state import is_full

ANSWERS = [
    Outcome(verdict=Verdict.OK),
    Outcome(verdict=Verdict.REJECTED, rejected=1, reason="one is too old"),
    Outcome(verdict=Verdict.RETRY, reason="busy"),
    Outcome(verdict=Verdict.MISCONFIGURED, reason="wrong key"),
    Outcome(verdict=Verdict.POISON, reason="no good"),
]


@contextmanager
def full_disk():
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.verdict.value)
def test_an_answer_is_written_down_when_the_disk_takes_it(bench, answer):
    bench.sender.begin()
    report = DrainReport(destination="there")
    assert not bench.sender.step(report)
    bench.enqueue([1], [2])
    bench.answers(answer)
    for _ in range(3):
        with full_disk(), pytest.raises(sqlite3.OperationalError) as error:
            bench.sender.step(report)
        assert is_full(error.value)
        assert bench.destination.sent == [b"[1]"]
        assert (report.requests, report.taken) == (1, 0)
    assert bench.status().items == 2
    rest = bench.sender.drain(bench.clock.now() + MINUTE)
    sent = [b"[1]", b"[1]", b"[2]"] if answer.verdict in {Verdict.RETRY, Verdict.MISCONFIGURED} else [b"[1]", b"[2]"]
    assert bench.destination.sent == sent
    fates = bench.status().totals
    assert sum(items for fate, items in fates.items() if fate != "enqueued") == fates["enqueued"] == 2
    assert rest.waiting == 0
