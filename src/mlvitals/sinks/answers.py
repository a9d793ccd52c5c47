"""What the answers of all HTTP destinations have in common."""

from email.utils import parsedate_to_datetime

from mlvitals.clock import SECOND
from mlvitals.transport.http import Answer


def one_line(text: str) -> str:
    """Return a server's words as one line of printable characters."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def media_type(answer: Answer) -> str:
    """Return the type of an answer's body in lower case, without parameters; nothing where none is named."""
    return answer.headers.get("content-type", "").partition(";")[0].strip().lower()


def retry_after(answer: Answer, now: int) -> float | None:
    """Return the seconds that a Retry-After header asks for: a number, or a date (RFC 9110, section 10.2.3).

    `now` in microseconds since the epoch; None where nothing that can be read is asked for.
    """
    asked = answer.headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked)
    try:
        moment = parsedate_to_datetime(asked).timestamp()
    except (ValueError, OverflowError):
        return None
    return max(moment - now / SECOND, 0.0)
