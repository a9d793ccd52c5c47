import pytest

from mlvitals.sinks.answers import media_type, one_line, retry_after
from mlvitals.transport.http import Answer

NOW = 1_700_000_000_000_000  # 2023-11-14T22:13:20Z


def answer(**headers):
    return Answer(status=503, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=b"")


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
