"""What an answer to `_bulk` means, for the whole request and for each of its items.

Kept: a 200 says nothing of the items; each has a status of its own. 2xx was taken. 409 was taken before: the same id in
a stream, or a revision that is not older in an index. 429, 502, 503 and 504 are not now.

Decided here:

- 401, 403 and 404 of an item (no right, a blocked index, an index that may not be made), and a 400 about the index
  instead of the document (it is closed or full, is an alias that cannot be written or a data stream where it must be
  none, its pipeline is gone, the cluster has no room for shards) are misconfigured: the data is good, so that it waits
  for a person.
- Any other 4xx of an item is about that document: refused, and only that one. So is a 200 that says `noop`, which is
  how a document that an ingest pipeline drops is answered: it stands nowhere.
- 500 of an item may be a node that fails or one that fails on this document. What else was in the request is settled
  first; what is left is then poison, but a doubtful one: halves of it are sent, and an outage holds the queue.
- A success without the engine's words holds the queue, and so does a 4xx without them: a proxy's opinion is no verdict
  on our documents.
- An answer that is longer than what we read of it may tell anything: the request is halved. Ids make that safe.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec

from mlvitals.delivery import Outcome, Request, Verdict
from mlvitals.sinks.answers import (
    NEEDS_A_PERSON,
    NEEDS_ANOTHER_SERVER,
    UNREADABLE,
    media_type,
    one_line,
    read_json,
    retry_after,
)
from mlvitals.sinks.opensearch.choices import Engine
from mlvitals.sinks.opensearch.requests import identities, pick
from mlvitals.transport.http import ANSWER_BYTES, Answer

_RETRY: Final = frozenset({408, 429, 502, 503, 504})
_MISCONFIGURED: Final = NEEDS_A_PERSON | NEEDS_ANOTHER_SERVER

# Errors of an item with 400 that no other document would change.
_ABOUT_THE_INDEX: Final = frozenset(
    {
        "index_closed_exception",
        "invalid_alias_name_exception",
        "invalid_index_name_exception",
        "routing_missing_exception",
        "validation_exception",
    }
)
# How reasons begin that have no type of their own. Further on a reason may repeat what the document says.
_ILLEGAL: Final = "illegal_argument_exception"
_ABOUT_THE_INDEX_SAID: Final = (
    "Limit of total fields [",
    "no write index is defined for alias [",
    "only write ops with an op_type of create are allowed in data streams",
    "pipeline with id [",
)
_DROPPED: Final = "noop"
_PRODUCT: Final = "x-elastic-product"


class _Item(msgspec.Struct, rename={"identity": "_id"}):
    status: int
    identity: str | None = None
    result: str = ""
    error: Any = None


class _Bulk(msgspec.Struct):
    items: list[dict[str, _Item]]


class _Fate(StrEnum):
    TAKEN = "taken"
    WAITS = "must wait"
    FAILED = "failed"
    HELD = "held"
    REFUSED = "refused"


_BULK: Final = msgspec.json.Decoder(_Bulk)


def classify(answer: Answer, request: Request, engine: Engine, now: int) -> Outcome:
    """Return what an answer means for a request; `now` in microseconds since the epoch."""
    if 200 <= answer.status < 300:
        return _success(answer, request, engine)
    return refusal(answer, now)


def refusal(answer: Answer, now: int) -> Outcome:
    """Return what an answer that is no success means."""
    status, told = answer.status, _error(answer)
    reason = f"HTTP {status}: {told}" if told else f"HTTP {status}"
    if status in _RETRY:
        return Outcome(verdict=Verdict.RETRY, reason=reason, retry_after=retry_after(answer, now))
    if status < 400:
        return Outcome(verdict=Verdict.MISCONFIGURED, reason=f"{reason}, a redirect, which would lose the request")
    if status in _MISCONFIGURED or (status < 500 and status != 413 and not told):
        return Outcome(verdict=Verdict.MISCONFIGURED, reason=reason)
    return Outcome(verdict=Verdict.POISON, reason=reason, doubtful=status != 413)


def stranger(answer: Answer, engine: Engine) -> str:
    """Return why a success does not come from the engine, nothing where it does."""
    kind = media_type(answer)
    if not (kind == "application/json" or kind.endswith("+json")):
        said = kind or "nothing"
        return f"HTTP {answer.status} with {said}: is this the address of {_NAMES[engine]}?"
    product = answer.headers.get(_PRODUCT, "")
    if engine is Engine.ELASTICSEARCH and product != "Elasticsearch":
        return f"HTTP {answer.status} without the header X-Elastic-Product: is this Elasticsearch?"
    if engine is Engine.OPENSEARCH and product:
        return "this is Elasticsearch: write `engine: elasticsearch`"
    return ""


_NAMES: Final = {Engine.OPENSEARCH: "OpenSearch", Engine.ELASTICSEARCH: "Elasticsearch"}


def _success(answer: Answer, request: Request, engine: Engine) -> Outcome:
    strange = stranger(answer, engine)
    if strange:
        return Outcome(verdict=Verdict.MISCONFIGURED, reason=strange)
    if len(answer.body) >= ANSWER_BYTES:
        return Outcome(verdict=Verdict.POISON, reason="the answer is longer than what is read of one", doubtful=True)
    try:
        items = [item for one in _BULK.decode(answer.body).items for item in one.values()]
    except UNREADABLE:
        reason = f"HTTP {answer.status} with JSON that is no answer to _bulk"
        return Outcome(verdict=Verdict.MISCONFIGURED, reason=reason)
    told = [item.identity for item in items]
    if len(items) != request.items or any(
        one not in (sent, None) for one, sent in zip(told, identities(request), strict=True)
    ):
        reason = f"HTTP {answer.status} about other documents than were sent"
        return Outcome(verdict=Verdict.MISCONFIGURED, reason=reason)
    return _settle(items, request)


def _settle(items: Sequence[_Item], request: Request) -> Outcome:
    places: dict[_Fate, list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        places[_fate(item)].append(place)
    reason = _reason(items, places)
    refused = pick(request, places[_Fate.REFUSED])
    rest = sorted(places[_Fate.HELD] + places[_Fate.WAITS] + places[_Fate.FAILED])
    if not rest:
        if refused is None:
            return Outcome(verdict=Verdict.OK)
        return Outcome(verdict=Verdict.REJECTED, reason=reason, rejected=refused.items, refused=refused)
    if len(places[_Fate.FAILED]) == len(items):
        return Outcome(verdict=Verdict.POISON, reason=reason, doubtful=True)
    verdict = Verdict.MISCONFIGURED if places[_Fate.HELD] else Verdict.RETRY
    return Outcome(verdict=verdict, reason=reason, remains=pick(request, rest), refused=refused)


def _fate(item: _Item) -> _Fate:
    status = item.status
    if 200 <= status < 300 or status == 409:
        return _Fate.REFUSED if item.result == _DROPPED else _Fate.TAKEN
    if status in _RETRY:
        return _Fate.WAITS
    if status >= 500:
        return _Fate.FAILED
    kind, said = _kind(item.error)
    about_the_index = kind in _ABOUT_THE_INDEX or (kind == _ILLEGAL and said.startswith(_ABOUT_THE_INDEX_SAID))
    return _Fate.HELD if status in {401, 403, 404} or about_the_index or status < 400 else _Fate.REFUSED


def _reason(items: Sequence[_Item], places: Mapping[_Fate, Sequence[int]]) -> str:
    """Return one line: how many of each fate but the best, and why the first of them."""
    said = []
    for fate in (_Fate.HELD, _Fate.REFUSED, _Fate.FAILED, _Fate.WAITS):
        if places.get(fate):
            first = items[places[fate][0]]
            told = ": ".join(part for part in _kind(first.error) if part) or first.result
            said.append(f"{len(places[fate])} of {len(items)} {fate.value}: {first.status} {told}".rstrip())
    return one_line("; ".join(said))


def _kind(error: Any) -> tuple[str, str]:
    """Return the type of an engine's error and what it says, with its cause."""
    if not isinstance(error, dict):
        return "", error if isinstance(error, str) else ""
    cause = error.get("caused_by")
    texts = [error.get("reason"), cause.get("reason") if isinstance(cause, dict) else None]
    return str(error.get("type") or ""), ": ".join(text for text in texts if isinstance(text, str) and text)


def _error(answer: Answer) -> str:
    """Return what the engine says of a request it did not take, nothing where it is not the engine that speaks."""
    told = read_json(answer)
    if not isinstance(told, dict):
        return ""
    error = told.get("error", told.get("message", told.get("Message")))  # AWS says `message`, or `Message`
    return one_line(": ".join(part for part in _kind(error) if part))
