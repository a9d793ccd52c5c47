"""The `local` sink: measurements in the state database, each at its highest revision, for the commands to read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from mlvitals.clock import parse_time
from mlvitals.delivery import Outcome, Request, Verdict
from mlvitals.hashing import content_hash
from mlvitals.signals.measurement import Measurement
from mlvitals.sinks.base import SinkContext
from mlvitals.state import Migrations, Store
from mlvitals.telemetry import WINDOW_CLOSED, LogRecord, MetricPoint

MIGRATIONS: Final = Migrations(
    owner="local_sink",
    steps=(
        (
            """
            CREATE TABLE measurement (
                identity TEXT PRIMARY KEY,
                model TEXT NOT NULL,
                model_version TEXT NOT NULL,
                window_start INTEGER NOT NULL,
                window_end INTEGER NOT NULL,
                signal TEXT NOT NULL,
                attributes TEXT NOT NULL,
                status TEXT NOT NULL,
                revision INTEGER NOT NULL,
                document TEXT NOT NULL
            ) STRICT
            """,
            """
            CREATE INDEX measurement_in_order
            ON measurement (model, model_version, window_start, signal, attributes, identity)
            """,
        ),
        (
            # Few measurements say that something moved: a report finds them among millions.
            """
            CREATE INDEX measurement_that_warns ON measurement (model, window_start)
            WHERE status IN ('warning', 'alert')
            """,
        ),
    ),
)

_UPSERT: Final = """
    INSERT INTO measurement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (identity) DO UPDATE
    SET status = excluded.status, revision = excluded.revision, document = excluded.document
    WHERE excluded.revision > measurement.revision
    """
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODER: Final = msgspec.json.Decoder(Measurement)


class LocalSink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="local"):
    """Keep measurements in the state database."""

    name: str = "local"

    def open(self, context: SinkContext) -> "LocalDestination":
        """Return the destination."""
        return LocalDestination(name=self.name, store=context.store)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalDestination:
    """The table of measurements as a destination. Sending twice changes nothing."""

    name: str
    store: Store

    def encode(self, points: Sequence[MetricPoint], logs: Sequence[LogRecord]) -> list[Request]:
        """Return one request with a JSON line for each measurement; points say nothing that the documents do not."""
        del points
        closed = [record for record in logs if record.event_name == WINDOW_CLOSED]
        documents = [document for record in closed for document in record.body["measurements"]]
        if not documents:
            return []
        times = [record.time for record in closed]
        body = _ENCODER.encode_lines(documents)
        return [Request(route="logs", body=body, items=len(documents), first=min(times), last=max(times))]

    def split(self, request: Request) -> list[Request]:
        """Return nothing: no request is ever refused for what it holds."""
        del request
        return []

    def send(self, request: Request) -> Outcome:
        """Store the measurements, each unless it is there already at this revision or a later one."""
        with self.store.transaction() as connection:
            connection.executemany(_UPSERT, map(_row, _DECODER.decode_lines(request.body)))
        return Outcome(verdict=Verdict.OK)

    def probe(self) -> Outcome:
        """Return ok: there is nothing to reach."""
        return Outcome(verdict=Verdict.OK)

    def close(self) -> None:
        """Leave the store open: it is not ours."""


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
        SELECT document FROM measurement {where}
        ORDER BY model, model_version, window_start, signal, attributes, identity
        """
    values = [value for value in wanted.values() if value is not None]
    for (document,) in store.connection.execute(query, values):
        yield _DECODER.decode(document)


def _row(measurement: Measurement) -> tuple[str | int, ...]:
    return (
        content_hash(*(part.encode() for part in measurement.identity)),
        measurement.model,
        measurement.model_version,
        parse_time(measurement.window_start),
        parse_time(measurement.window_end),
        measurement.signal,
        _ENCODER.encode(measurement.attributes).decode(),
        measurement.status,
        measurement.revision,
        _ENCODER.encode(measurement).decode(),
    )
