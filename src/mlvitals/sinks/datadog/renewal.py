"""What becomes of requests that have grown too old for Datadog (law 8): the newest of each series is told anew."""

from collections.abc import Iterable
from typing import Final

from mlvitals.clock import HOUR, MINUTE
from mlvitals.delivery import LOGS, Request, is_too_old
from mlvitals.sinks.datadog.requests import EVENTS, METRICS, Item, at, bundle, open_body
from mlvitals.sinks.packing import Compression

# "Submit metrics", "Send logs" and "Post an event" of Datadog's API reference. What is older is answered with 202, and
# dropped.
AGE_LIMITS: Final = {METRICS: HOUR, LOGS: 18 * HOUR, EVENTS: 18 * HOUR}

# A point that is told anew stands as far back as it safely can. The series' next window has its own end for a stamp,
# which is past by the time it closes: a point as of now would stand after it, and be the newest of the graph.
_TOLD_BACK: Final = 45 * MINUTE


def renew(route: str, requests: Iterable[Request], now: int, compression: Compression) -> list[Request]:
    """Return what is sent in place of a route's requests, by the contract of `Renewal.renew`.

    An old change event goes without: over a graph it would stand where nothing happened. Its log has the true time.
    """
    limit = AGE_LIMITS[route]
    if route == EVENTS:
        return [request for request in requests if not is_too_old(request.first, limit, now)]
    items = (item for request in requests for item in open_body(request))
    if route == LOGS:
        told = [at(item, route, now) if is_too_old(item.time, limit, now) else item for item in items]
        return bundle(route, told, compression)
    return bundle(route, _newest(items, limit, now), compression)


def _newest(items: Iterable[Item], limit: int, now: int) -> list[Item]:
    """Return the items within the limit, after the newest of each other series, told anew."""
    young: list[Item] = []
    old: dict[bytes, Item] = {}
    alive: set[bytes] = set()
    for item in items:
        series = _series(item)
        if not is_too_old(item.time, limit, now):
            young.append(item)
            alive.add(series)
        elif series not in old or item.time >= old[series].time:
            old.pop(series, None)  # so that what was told last comes last
            old[series] = item
    told = now - _TOLD_BACK
    return [at(item, METRICS, told) for series, item in old.items() if series not in alive] + young


def _series(item: Item) -> bytes:
    """Return what is the same in all points of a series: all but the point's time and value."""
    before, _, rest = item.content.partition(b'"timestamp":')
    return before + rest.partition(b"}")[2]
