"""What an answer of Datadog's means, where its own client would call a loss a success.

Kept: 202 is the only success, and only with a body that we understand and no `errors` in it; 408, 429 and 5xx are
waited for, as long as `X-RateLimit-Reset` or `Retry-After` asks for.

Decided here:

- 202 with `errors`: some of it was not taken, and nothing says which. Halves are sent, down to the item; a gauge that
  is sent twice is the same gauge, and a log that comes twice has the same `mlvitals.id`.
- 400 and 413 are about this body: halves, too. A redirect, a refused key, a wrong path or method would meet any body:
  held, until a person acts. So is a 4xx in a stranger's words, but for 413, which is how a proxy asks for less.
"""

from typing import Any, Final

from mlvitals.delivery import Outcome, Verdict
from mlvitals.sinks.answers import NEEDS_A_PERSON, is_strangers, media_type, one_line, read_json, retry_after
from mlvitals.sinks.datadog.requests import EVENTS
from mlvitals.transport.http import Answer

REFUSED_KEY: Final = frozenset({401, 403})

_ACCEPTED: Final = 202
_RETRY: Final = frozenset({408, 429})
_KNOWN: Final = frozenset({"errors", "status"})
_RESET: Final = "x-ratelimit-reset"


def classify(answer: Answer, route: str, now: int) -> Outcome:
    """Return what an answer means for a request to `route`; `now` in microseconds since the epoch."""
    status = answer.status
    if 200 <= status < 300:
        return _success(answer, route)
    reason = _reason(answer)
    if status in _RETRY or status >= 500:
        return Outcome(verdict=Verdict.RETRY, reason=reason, retry_after=_patience(answer, now))
    if status < 400:
        return Outcome(verdict=Verdict.MISCONFIGURED, reason=f"{reason}, a redirect, which would lose the request")
    if status in REFUSED_KEY:
        return Outcome(verdict=Verdict.MISCONFIGURED, reason=f"{reason}: the API key is refused")
    if status in NEEDS_A_PERSON or (status != 413 and _is_strangers(answer)):
        return Outcome(verdict=Verdict.MISCONFIGURED, reason=reason)
    return Outcome(verdict=Verdict.POISON, reason=reason)


def classify_probe(answer: Answer, site: str, now: int) -> Outcome:
    """Return what the answer to `validate` means."""
    told = read_json(answer)
    if answer.status == 200 and isinstance(told, dict) and told.get("valid") is True:
        return Outcome(verdict=Verdict.OK, reason=f"{site} takes the API key")
    if answer.status in _RETRY or answer.status >= 500:
        return Outcome(verdict=Verdict.RETRY, reason=_reason(answer), retry_after=_patience(answer, now))
    hint = f"{site} refuses the API key" if answer.status in REFUSED_KEY else f"is {site} the address of Datadog's API?"
    return Outcome(verdict=Verdict.MISCONFIGURED, reason=f"{_reason(answer)}: {hint}")


def _is_strangers(answer: Answer) -> bool:
    """Tell whether a refusal is not in Datadog's words, whose JSON always names `errors`."""
    told = read_json(answer)
    return is_strangers(answer) or (isinstance(told, dict) and "errors" not in told)


def _success(answer: Answer, route: str) -> Outcome:
    told = read_json(answer)
    errors = told.get("errors", []) if isinstance(told, dict) else []
    if answer.status == _ACCEPTED and isinstance(told, dict) and isinstance(errors, list):
        if errors:
            said = one_line("; ".join(str(error) for error in errors))
            return Outcome(verdict=Verdict.POISON, reason=f"HTTP 202 with errors: {said}", doubtful=True)
        if _understood(told, route):
            return Outcome(verdict=Verdict.OK)
    said = media_type(answer) or "nothing"
    reason = f"HTTP {answer.status} with {said}, not an answer of Datadog's: is this the address of its intake?"
    return Outcome(verdict=Verdict.MISCONFIGURED, reason=reason)


def _understood(told: dict[str, Any], route: str) -> bool:
    if route == EVENTS:
        data = told.get("data")
        return isinstance(data, dict) and data.get("type") == "event"
    # Other readers of the protocol answer as version 1 of it does: {"status": "ok"}.
    return told.keys() <= _KNOWN and told.get("status", "ok") == "ok"


def _patience(answer: Answer, now: int) -> float | None:
    """Return the seconds that are asked for: `X-RateLimit-Reset` counts them, `Retry-After` may name a date."""
    reset = answer.headers.get(_RESET, "").strip()
    asked = [retry_after(answer, now), float(reset) if reset.isascii() and reset.isdigit() else None]
    return max((seconds for seconds in asked if seconds is not None), default=None)


def _reason(answer: Answer) -> str:
    told = read_json(answer)
    errors = told.get("errors") if isinstance(told, dict) else None
    if isinstance(errors, list) and errors:
        said = one_line("; ".join(_said(error) for error in errors))
    else:
        said = one_line(answer.body.decode("utf-8", "replace")) if media_type(answer) in {"text/plain", ""} else ""
    return f"HTTP {answer.status}: {said}" if said else f"HTTP {answer.status}"


def _said(error: Any) -> str:
    """Return an error's text: a string, or an object of JSON:API's (as for events) or of the logs' intake."""
    if isinstance(error, dict):
        return ": ".join(str(error[key]) for key in ("title", "detail") if error.get(key))
    return str(error)
