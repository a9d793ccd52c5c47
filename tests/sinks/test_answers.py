import time

import pytest

from mlvitals.delivery import Outcome, Verdict
from mlvitals.sinks.answers import is_strangers, media_type, one_line, read_json, retry_after, shortened
from mlvitals.transport.http import Answer

NOW = 1_700_000_000_000_000  # 2023-11-14T22:13:20Z


def answer(**headers):
    return Answer(status=503, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=b"")


@pytest.fixture
def far_west(monkeypatch):
    monkeypatch.setenv("TZ", "Pacific/Honolulu")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_west")
@pytest.mark.parametrize("asked", ["Tue Nov 14 22:14:20 2023", "Tue, 14 Nov 2023 22:14:20 -0000"])
def test_a_date_that_names_no_zone_is_utc_wherever_we_run(asked):
    assert retry_after(answer(retry_after=asked), NOW) == 60.0


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
        ("Tue, 14 Nov 2023 22:12:20 GMT", 0.0),
        ("Tue, 99 Nov 2023 22:14:20 GMT", None),
        ("-5", None),
        ("²", None),
        ("", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(asked, seconds):
    assert retry_after(answer(retry_after=asked), NOW) == seconds
    assert retry_after(answer(), NOW) is None


def test_a_servers_words_are_one_line():
    assert one_line(" two\r\nlines\x00\u2028 ") == "two lines"


def test_a_type_is_told_without_its_parameters():
    assert media_type(answer(content_type="Application/JSON; charset=UTF-8")) == "application/json"
    assert media_type(answer()) == ""


@pytest.mark.parametrize("body", [b"", b"{", b'"\xff"', b"\xff", b"[" * 100_000, b'{"a":' * 100_000])
def test_a_body_that_is_no_json_reads_as_nothing(body):
    assert read_json(Answer(status=200, headers={}, body=body)) is None


@pytest.mark.parametrize(
    ("kind", "body", "strange"),
    [
        ("text/html; charset=utf-8", b"<html>", True),
        ("", b"Client sent an HTTP request to an HTTPS server.", True),
        ("", b"", False),
        ("text/html", b"", False),
        ("text/plain", b"out of order sample", False),
        ("application/json", b"{}", False),
    ],
)
def test_pages_and_texts_without_a_type_are_a_strangers(kind, body, strange):
    assert is_strangers(Answer(status=400, headers={"content-type": kind}, body=body)) is strange


def test_a_reason_is_short_enough_to_be_read():
    assert shortened(Outcome(verdict=Verdict.OK, reason="x" * 300)).reason == "x" * 300
    assert shortened(Outcome(verdict=Verdict.OK, reason="x" * 301)).reason == "x" * 299 + "…"
