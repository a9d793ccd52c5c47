"""The contract between the outbox and a destination."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from mlvitals.telemetry import LogRecord, MetricPoint

# The route of log records, of which every one is sent; what leads elsewhere may be superseded by something newer.
LOGS: Final = "logs"


class Verdict(StrEnum):
    """What an answer means for the request.

    ok: taken, and the answer says so in words that we understand.
    rejected: taken in part; the rest must not be sent again.
    retry: not now: the same bytes again later.
    misconfigured: this destination takes nothing until a person acts (wrong key, wrong address, a redirect, an answer
        that is not the protocol's); the queue is held and nothing is dropped.
    poison: this request will never be taken; others may.
    """

    OK = "ok"
    REJECTED = "rejected"
    RETRY = "retry"
    MISCONFIGURED = "misconfigured"
    POISON = "poison"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The very bytes that will be sent, however often: `body` to `route` (as `metrics`, `logs`), holding `items` items.

    first, last: the span of the items' stamps, in microseconds since the epoch.
    """

    route: str
    body: bytes
    items: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A classified answer.

    reason: one line without secrets; beside `ok` it is a warning from the destination.
    rejected: how many items a `rejected` request lost. retry_after: seconds, where the server named them.
    doubtful: a `poison` that may as well be the destination's own fault; many in a row hold the queue.

    A destination that answers item by item says which of them it means, each as a request of these items only, with
    their bytes as they were: `refused` will never be taken, and is what becomes of them in any verdict; of a request to
    `retry`, or that is held as `misconfigured`, only what `remains` is sent again. What is in neither was taken.
    """

    verdict: Verdict
    reason: str = ""
    rejected: int = 0
    retry_after: float | None = None
    doubtful: bool = False
    remains: Request | None = None
    refused: Request | None = None


class Renewal(Protocol):
    """What a destination asks for that drops what is old (law 8). Pure and deterministic."""

    def age_limit(self, route: str) -> int | None:
        """Return how old a stamp may be, in microseconds, before the destination would drop it; None for any age."""
        ...

    def renew(self, route: str, requests: Iterable[Request], now: int) -> list[Request]:
        """Return what is sent in place of a route's requests, oldest first, of which some stamps are past `age_limit`.

        The requests are read as they are asked for. A sender gives all that wait for the route, but for `logs`, of
        which it gives as many at a time as memory holds.

        Of points past the limit the newest of each series is told at a time within it, unless a younger one of its
        series is among the requests; the others go without, for the log has them (law 8). Records of logs stay, every
        one. What is returned may hold fewer items than were given, never more. `now`: microseconds since the epoch.
        """
        ...


class Sink(Protocol):
    """A destination. `encode` and `split` are pure and deterministic; `send` raises only on a bug."""

    @property
    def name(self) -> str:
        """The destination's name in the outbox, unique in a configuration."""
        ...

    @property
    def routes(self) -> tuple[str, ...]:
        """Where requests may lead, as `metrics` and `logs`: each a queue of its own, so that one holds up no other."""
        ...

    def encode(self, points: Sequence[MetricPoint], logs: Sequence[LogRecord]) -> list[Request]:
        """Return the requests that carry these items, in order; the same items give the same bytes.

        Raises:
            ValueError: an item cannot be what it claims to be (a value that is not finite): a bug of ours.

        """
        ...

    def split(self, request: Request) -> list[Request]:
        """Return two requests that carry a request's items in order, or nothing where it cannot be divided."""
        ...

    @property
    def renewal(self) -> Renewal | None:
        """Tells anew what has grown too old for the destination; None where nothing does."""
        ...

    def send(self, request: Request) -> Outcome:
        """Send one request once, in bounded time, and classify whatever is answered."""
        ...

    def probe(self) -> Outcome:
        """Ask the destination, without leaving anything there, whether it would take requests."""
        ...

    def close(self) -> None:
        """Give back what `send` opened."""
        ...
