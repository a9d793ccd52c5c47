"""Documents as bodies of `_bulk`: lines of JSON, bounded in size, that come apart again into the same lines.

They wait compressed, to a tenth or less, for a queue is bounded in bytes.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Final

import msgspec

from mlvitals.clock import parse_time
from mlvitals.delivery import Request
from mlvitals.sinks.opensearch.documents import Document
from mlvitals.sinks.packing import pack, unpack

METRICS: Final = "metrics"
LOGS: Final = "logs"

# The answer has some sixty bytes for each item that was taken and some hundreds for one that was not: a thousand stay
# within what is read of an answer. The engines ask for bodies of a few megabytes (their limit is 100 MB).
ITEMS: Final = 1_000
BODY_BYTES: Final = 4 * 1024 * 1024


class _Stamped(msgspec.Struct, rename={"time": "@timestamp"}):
    time: str


class _Target(msgspec.Struct, rename={"identity": "_id"}):
    identity: str


_STAMPS: Final = msgspec.json.Decoder(_Stamped)
_TARGETS: Final = msgspec.json.Decoder(dict[str, _Target])


def bundle(route: str, documents: Iterable[Document]) -> list[Request]:
    """Return requests that carry the documents in their order."""
    return [_request(route, chunk) for chunk in _chunks(documents)]


def split(request: Request) -> list[Request]:
    """Return the two halves of a request, or nothing where it holds one item."""
    middle = request.items // 2
    if not middle:
        return []
    documents = _documents(request)
    return [_request(request.route, documents[:middle]), _request(request.route, documents[middle:])]


def pick(request: Request, places: Collection[int]) -> Request | None:
    """Return a request of the items at these places only, in their order, None for none."""
    if not places:
        return None
    if len(places) == request.items:
        return request
    kept = set(places)
    return _request(request.route, [one for place, one in enumerate(_documents(request)) if place in kept])


def identities(request: Request) -> list[str]:
    """Return the ids of a request's documents, in their order."""
    return [target.identity for line in _lines(request)[::2] for target in _TARGETS.decode(line).values()]


def _request(route: str, documents: Collection[Document]) -> Request:
    times = [document.time for document in documents]
    lines = [line for document in documents for line in (document.action, document.source)]
    body = b"\n".join([*lines, b""])  # the last line must end, too
    return Request(route=route, body=pack(body, "gzip"), items=len(times), first=min(times), last=max(times))


def _chunks(documents: Iterable[Document]) -> Iterator[list[Document]]:
    chunk: list[Document] = []
    size = 0
    for document in documents:
        length = len(document.action) + len(document.source) + 2
        if chunk and (len(chunk) == ITEMS or size + length > BODY_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(document)
        size += length
    if chunk:
        yield chunk


def _documents(request: Request) -> list[Document]:
    lines = _lines(request)
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return [Document(action, source, parse_time(_STAMPS.decode(source).time)) for action, source in pairs]


def _lines(request: Request) -> list[bytes]:
    return unpack(request.body).split(b"\n")[:-1]
