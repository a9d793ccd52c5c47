"""A scrape endpoint as a destination: what is sent is stored, and served to whoever asks."""

import errno
import socket
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Final, NamedTuple

import msgspec

from mlvitals.clock import HOUR, Clock, SystemClock, parse_duration
from mlvitals.delivery import Outcome, Request, Verdict
from mlvitals.signals.spec import MetricSpec, Stage
from mlvitals.sinks.base import SinkContext
from mlvitals.sinks.prometheus.exposition import Sample, page, sample
from mlvitals.state import Store
from mlvitals.telemetry import LogRecord, MetricPoint
from mlvitals.transport.listen import NOT_FOUND, Listener, Page, Query, split_address

METRICS: Final = "metrics"
PATH: Final = "/metrics"

# What the job tells of itself comes every minute, its totals since long ago: neither tells how long it holds.
_RUNNING_SHOWN: Final = HOUR
_PROBE_SECONDS: Final = 2.0

# The newest point of a series stays, whatever comes after it; the same one again changes nothing.
_UPSERT: Final = """
    INSERT INTO scraped_series VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
    SET value = excluded.value, time = excluded.time, stored = excluded.stored, shown = excluded.shown
    WHERE excluded.time > scraped_series.time
    """
_FORGET: Final = "DELETE FROM scraped_series WHERE destination = ? AND stored + shown < ?"
_SHOWN: Final = """
    SELECT signal, labels, value FROM scraped_series WHERE destination = ? AND stored + shown >= ?
    """


class _Kept(NamedTuple):
    """A point on its way into the state: `shown` is how long it will be, in microseconds."""

    signal: str
    labels: str
    value: float
    time: int
    shown: int


_PACKER: Final = msgspec.msgpack.Encoder()
_UNPACKER: Final = msgspec.msgpack.Decoder(list[_Kept])


@dataclass(slots=True, kw_only=True)
class PrometheusDestination:
    """The state as a destination, and a server that shows what is in it once `serve` is called."""

    name: str
    address: str
    windows: int
    specs: Mapping[str, MetricSpec]
    context: SinkContext
    clock: Clock = field(default_factory=SystemClock)
    _listener: Listener | None = field(default=None, init=False)

    @property
    def routes(self) -> tuple[str, ...]:
        """Return what requests may be about."""
        return (METRICS,)

    def encode(self, points: Sequence[MetricPoint], logs: Sequence[LogRecord]) -> list[Request]:
        """Return one request with the points; a scrape has no place for logs."""
        del logs
        return [_pack([self._kept(point) for point in points])] if points else []

    def split(self, request: Request) -> list[Request]:
        """Return the two halves of a request, or nothing where it holds one item."""
        kept = _UNPACKER.decode(request.body)
        middle = len(kept) // 2
        return [_pack(kept[:middle]), _pack(kept[middle:])] if middle else []

    @property
    def renewal(self) -> None:
        """None: only the newest is shown, and how old it is, is told beside it."""

    def send(self, request: Request) -> Outcome:
        """Store what is newer than what is there, and forget what is shown no more."""
        now = self.clock.now()
        kept = _UNPACKER.decode(request.body)
        with self.context.store.transaction() as connection:
            rows = ((self.name, one.signal, one.labels, one.value, one.time, now, one.shown) for one in kept)
            connection.executemany(_UPSERT, rows)
            connection.execute(_FORGET, (self.name, now))
        return Outcome(verdict=Verdict.OK)

    def probe(self) -> Outcome:
        """Tell whether the address is free, or served by a job of ours."""
        if self._listener is not None:
            return Outcome(verdict=Verdict.OK)
        host, port = split_address(self.address)
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            socket.create_server((host, port), family=family).close()
        except OSError as error:
            if error.errno == errno.EADDRINUSE and _is_ours(host, port):
                return Outcome(verdict=Verdict.OK, reason=f"{self.address}: served by a job that runs")
            return Outcome(verdict=Verdict.MISCONFIGURED, reason=f"{self.address} cannot be listened on")
        return Outcome(verdict=Verdict.OK)

    def serve(self) -> str:
        """Begin to listen; return where scrapes are answered.

        Raises:
            ConfigError: the address cannot be listened on.

        """
        self._listener = Listener(self.address, self._answer)
        return f"http://{self._listener.address}{PATH}"

    def close(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _answer(self, query: Query) -> Page:
        if query.path == "/":
            return Page(body=f"{PATH}\n".encode())
        if query.path != PATH:
            return NOT_FOUND
        # A connection of this scrape's own: it sees what is committed, and waits for no writer.
        with Store.open_read_only(self.context.store.path) as store:
            rows = store.connection.execute(_SHOWN, (self.name, self.clock.now())).fetchall()
        samples = [Sample(*row) for row in rows]
        return page(samples, self.specs, self.context.service, query.headers.get("accept", ""))

    def _kept(self, point: MetricPoint) -> _Kept:
        if self.specs[point.name].stage is Stage.RUNNING:
            shown = _RUNNING_SHOWN
        else:
            shown = self.windows * (point.time - point.start - _age(point))
        return _Kept(*sample(point), point.time, shown)


def _pack(kept: Sequence[_Kept]) -> Request:
    times = [one.time for one in kept]
    return Request(route=METRICS, body=_PACKER.encode(kept), items=len(kept), first=min(times), last=max(times))


def _age(point: MetricPoint) -> int:
    """Return how long after its window's end a point is stamped: the maturity, where it is known at one."""
    try:
        return parse_duration(point.attributes.get("maturity", "0s"))
    except ValueError:  # of somebody's own signal
        return 0


def _is_ours(host: str, port: int) -> bool:
    with closing(HTTPConnection(host, port, timeout=_PROBE_SECONDS)) as connection:
        try:
            connection.request("HEAD", "/")
            return connection.getresponse().getheader("Server") == "mlvitals"
        except (OSError, HTTPException):
            return False
