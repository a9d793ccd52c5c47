"""Items as bodies of Datadog's API: bounded in size, compressed, and cut apart again into the same items."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from mlvitals.clock import MILLISECOND, SECOND
from mlvitals.delivery import LOGS, Request
from mlvitals.sinks.packing import Compression, compression_of, pack, unpack

METRICS: Final = "metrics"
EVENTS: Final = "events"

_TIME: Final = re.compile(rb'"timestamp":(-?\d+)')


class Item(NamedTuple):
    """A series with one point, or a log: its JSON, and its stamp in microseconds, as exact as the JSON tells it."""

    content: bytes
    time: int


class _Series(msgspec.Struct):
    series: list[msgspec.Raw]


class Shape(NamedTuple):
    """What the API takes at a time. sent: bytes of a body as it is sent; whole: before compression."""

    before: bytes
    after: bytes
    unit: int
    items: int
    whole: int
    sent: int
    decoder: msgspec.json.Decoder[Any]
    compressions: frozenset[Compression]


# "Submit metrics" and "Send logs" of Datadog's API reference (v2); a log's megabyte is the smaller one of two readings.
SHAPES: Final = {
    METRICS: Shape(
        before=b'{"series":[',
        after=b"]}",
        unit=SECOND,
        items=10_000,
        whole=5 * 1024 * 1024,
        sent=512_000,
        decoder=msgspec.json.Decoder(_Series),
        compressions=frozenset({"gzip", "zstd", "none"}),
    ),
    LOGS: Shape(
        before=b"[",
        after=b"]",
        unit=MILLISECOND,
        items=1_000,
        whole=5_000_000,
        sent=5_000_000,
        decoder=msgspec.json.Decoder(list[msgspec.Raw]),
        compressions=frozenset({"gzip", "none"}),
    ),
}


def bundle(route: str, items: Iterable[Item], compression: Compression) -> list[Request]:
    """Return requests that carry items of metrics or logs in their order, each within all bounds."""
    shape = SHAPES[route]
    longest = shape.sent if compression == "none" else shape.whole
    chunks = _chunks(shape, longest, items)
    return [request for chunk in chunks for request in _requests(route, chunk, compression)]


def open_body(request: Request) -> list[Item]:
    """Return the items of a request to metrics or logs.

    Raises:
        ValueError: the body is not one of ours.

    """
    shape = SHAPES[request.route]
    told = shape.decoder.decode(unpack(request.body))
    contents = [bytes(raw) for raw in (told.series if isinstance(told, _Series) else told)]
    return [Item(content, _time(content) * shape.unit) for content in contents]


def split(request: Request) -> list[Request]:
    """Return the two halves of a request, or nothing where it holds one item."""
    middle = request.items // 2
    if not middle:
        return []
    items = open_body(request)
    compression = compression_of(request.body)
    return [_request(request.route, half, compression) for half in (items[:middle], items[middle:])]


def at(item: Item, route: str, time: int) -> Item:
    """Return an item with another stamp."""
    stamp = time // SHAPES[route].unit
    return Item(_TIME.sub(b'"timestamp":%d' % stamp, item.content, count=1), stamp * SHAPES[route].unit)


def _time(content: bytes) -> int:
    match = _TIME.search(content)
    if match is None:
        raise ValueError("an item without a stamp")
    return int(match[1])


def _chunks(shape: Shape, longest: int, items: Iterable[Item]) -> Iterator[list[Item]]:
    around = len(shape.before) + len(shape.after)
    chunk: list[Item] = []
    size = around
    for item in items:
        length = len(item.content) + 1
        if chunk and (len(chunk) == shape.items or size + length > longest):
            yield chunk
            chunk, size = [], around
        chunk.append(item)
        size += length
    if chunk:
        yield chunk


def _requests(route: str, items: Sequence[Item], compression: Compression) -> list[Request]:
    request = _request(route, items, compression)
    if len(request.body) <= SHAPES[route].sent or len(items) == 1:
        return [request]
    middle = len(items) // 2
    halves = items[:middle], items[middle:]
    return [request for half in halves for request in _requests(route, half, compression)]


def _request(route: str, items: Sequence[Item], compression: Compression) -> Request:
    shape = SHAPES[route]
    content = shape.before + b",".join([item.content for item in items]) + shape.after
    times = [item.time for item in items]
    body = pack(content, compression if compression in shape.compressions else "gzip")
    return Request(route=route, body=body, items=len(items), first=min(times), last=max(times))
