"""The `local` sink: measurements in the state database, each at its highest revision, for the commands to read."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from sqlite3 import Connection
from typing import Final

import msgspec

from mlvitals.clock import parse_duration
from mlvitals.delivery import Outcome, Request, Verdict
from mlvitals.signals.measurement import Measurement
from mlvitals.sinks.base import QueueConfig, SinkContext
from mlvitals.sinks.pages import MIGRATIONS, Page, paginate, unpack
from mlvitals.state import Store
from mlvitals.telemetry import WINDOW_CLOSED, LogRecord, MetricPoint

__all__ = ["MIGRATIONS", "LocalDestination", "LocalSink", "measurements"]

_UPSERT: Final = f"""
    INSERT INTO measurement_page ({", ".join(Page._fields)}) VALUES ({", ".join("?" * len(Page._fields))})
    ON CONFLICT (model, model_version, window_start, signal, shared, window_end, environment) DO UPDATE
    SET stamp = excluded.stamp, revision = excluded.revision, warnings = excluded.warnings,
        documents = excluded.documents
    WHERE excluded.revision > measurement_page.revision
    """
_FORGET: Final = """
    DELETE FROM measurement_page WHERE rowid IN (
        SELECT rowid FROM measurement_page WHERE model = ? AND stamp < ? ORDER BY stamp LIMIT ?
    )
    """
# More leaves than comes, so that a shorter `keep` takes effect, but never so much that a send takes long.
_FORGET_FOR_EACH: Final = 4

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODER: Final = msgspec.json.Decoder(list[Measurement])
_PACKER: Final = msgspec.msgpack.Encoder()
_UNPACKER: Final = msgspec.msgpack.Decoder(list[Page])


class LocalSink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="local"):
    """Keep measurements in the state database.

    keep: how long, from where a measurement is plotted to the newest of its model; None for as long as the state lasts,
        so that a run over years of events shows all of them.
    """

    name: str = "local"
    keep: str | None = None
    queue: QueueConfig = QueueConfig()

    def __post_init__(self) -> None:
        """Refuse to keep nothing."""
        if self.keep is not None and parse_duration(self.keep) == 0:
            raise ValueError("`keep` must be longer than nothing")

    def open(self, context: SinkContext) -> "LocalDestination":
        """Return the destination."""
        keep = None if self.keep is None else parse_duration(self.keep)
        return LocalDestination(name=self.name, store=context.store, keep=keep)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalDestination:
    """The table of measurements as a destination. Sending twice changes nothing.

    keep: microseconds before a model's newest stamp, after which a measurement is forgotten, None for never. By the
    stamp and not by the window, for what is known at a late maturity is news of an old window.
    """

    name: str
    store: Store
    keep: int | None = None

    def encode(self, points: Sequence[MetricPoint], logs: Sequence[LogRecord]) -> list[Request]:
        """Return one request with the pages of the measurements; points say nothing that the documents do not."""
        del points
        closed = [record for record in logs if record.event_name == WINDOW_CLOSED]
        items = sum(len(record.body["measurements"]) for record in closed)
        if not items:
            return []
        times = [record.time for record in closed]
        body = _PACKER.encode(list(paginate(closed)))
        return [Request(route="logs", body=body, items=items, first=min(times), last=max(times))]

    def split(self, request: Request) -> list[Request]:
        """Return nothing: no request is ever refused for what it holds."""
        del request
        return []

    @property
    def routes(self) -> tuple[str, ...]:
        """Return what requests may be about."""
        return ("logs",)

    @property
    def renewal(self) -> None:
        """None: nothing is too old."""

    def send(self, request: Request) -> Outcome:
        """Store the measurements, unless they are there already at this revision or a later one; forget old ones."""
        pages = _UNPACKER.decode(request.body)
        with self.store.transaction() as connection:
            connection.executemany(_UPSERT, pages)
            if self.keep is not None:
                for model, count in Counter(page.model for page in pages).items():
                    _forget(connection, model, self.keep, count * _FORGET_FOR_EACH)
        return Outcome(verdict=Verdict.OK)

    def probe(self) -> Outcome:
        """Return ok: there is nothing to reach."""
        return Outcome(verdict=Verdict.OK)

    def close(self) -> None:
        """Leave the store open: it is not ours."""


def _forget(connection: Connection, model: str, keep: int, most: int) -> None:
    """Remove at most so many pages of a model that were plotted more than `keep` before its newest one."""
    query = "SELECT max(stamp) FROM measurement_page WHERE model = ?"
    (newest,) = connection.execute(query, (model,)).fetchone()
    connection.execute(_FORGET, (model, newest - keep, most))


def measurements(
    store: Store, *, signal: str | None = None, model: str | None = None, since: int | None = None
) -> Iterator[Measurement]:
    """Yield what is stored by model, version, window, signal and attributes; the table must not change meanwhile.

    since: no window that starts before, in microseconds since the epoch.
    """
    wanted = {"signal = ?": signal, "model = ?": model, "window_start >= ?": since}
    conditions = [condition for condition, value in wanted.items() if value is not None]
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    query = f"""
        SELECT model, model_version, window_start, signal, documents FROM measurement_page {where}
        ORDER BY model, model_version, window_start, signal, shared, window_end, environment
        """
    values = [value for value in wanted.values() if value is not None]
    for _, pages in groupby(store.connection.execute(query, values), key=itemgetter(0, 1, 2, 3)):
        found = [one for *_, documents in pages for one in _DECODER.decode(unpack(documents))]
        yield from sorted(found, key=lambda one: _ENCODER.encode(one.attributes))
