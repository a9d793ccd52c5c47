"""What the answers of all HTTP destinations have in common."""

from dataclasses import replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec

from mlvitals.clock import SECOND
from mlvitals.delivery import Outcome, Verdict
from mlvitals.transport.http import Answer, TransportError

# What a decoder of JSON raises for what somebody else wrote: it is none, its text is none, or it has no end of depth.
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

# No other body would change these: not who we are, not where and how we ask, not what we speak. They wait for a person.
NEEDS_A_PERSON: Final = frozenset({401, 402, 403, 404, 405, 406, 407, 410, 411, 415, 421, 426, 451})
# Nor these, of a server that does not know the way, the version or the network; some protocols wait for any 5xx.
NEEDS_ANOTHER_SERVER: Final = frozenset({501, 505, 511})

_REASON_LENGTH: Final = 300
_STRANGERS: Final = frozenset({"", "text/html"})


def no_answer(error: TransportError) -> Outcome:
    """Return what it means that no answer came."""
    return Outcome(verdict=Verdict.MISCONFIGURED if error.lasting else Verdict.RETRY, reason=error.reason)


def one_line(text: str) -> str:
    """Return a server's words as one line of printable characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def shortened(outcome: Outcome) -> Outcome:
    """Return an outcome whose reason is short enough to be read."""
    reason = outcome.reason
    return outcome if len(reason) <= _REASON_LENGTH else replace(outcome, reason=f"{reason[: _REASON_LENGTH - 1]}…")


def media_type(answer: Answer) -> str:
    """Return the type of an answer's body in lower case, without parameters; nothing where none is named."""
    return answer.headers.get("content-type", "").partition(";")[0].strip().lower()


def read_json(answer: Answer) -> Any:
    """Return the JSON that a body holds, None where it holds none that can be read."""
    try:
        return msgspec.json.decode(answer.body)
    except UNREADABLE:
        return None


def is_strangers(answer: Answer) -> bool:
    """Tell whether a refusal is in a stranger's words: a page, or a text without a type.

    So a port for TLS answers who speaks plainly, and a proxy whom it does not know. Receivers refuse in their
    protocol's types, in plain text, or without a word.
    """
    return bool(answer.body) and media_type(answer) in _STRANGERS


def retry_after(answer: Answer, now: int) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number, or a date (RFC 9110, section 10.2.3).

    `now` in microseconds since the epoch; None where nothing that can be read is asked for.
    """
    asked = answer.headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked)
    try:
        moment = parsedate_to_datetime(asked)
        named = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)  # the header's dates are all UTC
        return max(named.timestamp() - now / SECOND, 0.0)
    except (ValueError, OverflowError):
        return None
