"""How the local store keeps measurements: compressed pages, each of what is told at once and read together."""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from mlvitals.clock import parse_time
from mlvitals.signals.spec import Status
from mlvitals.state import Migrations
from mlvitals.telemetry import LogRecord

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
            """
            CREATE INDEX measurement_that_warns ON measurement (model, window_start)
            WHERE status IN ('warning', 'alert')
            """,
        ),
        (
            # A row for each measurement took ten times the room. Its rows are not carried over: no version that wrote
            # them was released, and reading the events again makes them again.
            "DROP TABLE measurement",
            """
            CREATE TABLE measurement_page (
                model TEXT NOT NULL,
                model_version TEXT NOT NULL,
                window_start INTEGER NOT NULL,
                signal TEXT NOT NULL,
                shared TEXT NOT NULL,
                window_end INTEGER NOT NULL,
                environment TEXT NOT NULL,
                stamp INTEGER NOT NULL,
                revision INTEGER NOT NULL,
                warnings INTEGER NOT NULL,
                documents BLOB NOT NULL,
                UNIQUE (model, model_version, window_start, signal, shared, window_end, environment)
            ) STRICT
            """,
            "CREATE INDEX measurement_page_by_age ON measurement_page (model, stamp)",
            # Few pages say that something moved: a report finds them among many.
            """
            CREATE INDEX measurement_page_that_warns ON measurement_page (model, window_start) WHERE warnings > 0
            """,
        ),
    ),
)

# What a reader chooses by, and what is told at a time of its own; the measurements of a page have these in common.
_SHARED: Final = ("comparison", "maturity", "method", "segment")
_WARNING: Final = frozenset({Status.WARNING.value, Status.ALERT.value})
# Most pages are a few kilobytes, so that to lay out zlib's usual 256 kB would take longer than to compress: with these
# the forty pages of a window take a third of the time, and as much room. Level 6 saves 7 % more for half as long again.
_LEVEL: Final = 3
_WINDOW_BITS: Final = 13
_MEMORY_LEVEL: Final = 7

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class Page(NamedTuple):
    """The measurements of one signal in one window that share what a reader chooses by, as a row of the table.

    shared: what they share of their attributes, as JSON. stamp: where their points are plotted. Times are microseconds
    since the epoch. warnings: how many of them warn. documents: by `pack`.
    """

    model: str
    model_version: str
    window_start: int
    signal: str
    shared: str
    window_end: int
    environment: str
    stamp: int
    revision: int
    warnings: int
    documents: bytes


def paginate(records: Iterable[LogRecord]) -> Iterator[Page]:
    """Yield the pages that hold all measurements of these records, in the order of their first ones.

    A window's measurements come in one call; those of a maturity come in another, and again with a higher revision.
    """
    pages: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for record in records:
        for one in record.body["measurements"]:
            attributes = one["attributes"]
            shared = tuple(attributes.get(name) for name in _SHARED)
            whose = one["model"], one["model_version"], one["window_start"], one["window_end"], one["environment"]
            key = (*whose, one["signal"], shared, one["revision"], record.time)
            pages.setdefault(key, []).append(one)
    for (model, version, start, end, environment, signal, shared, revision, stamp), documents in pages.items():
        told = {name: value for name, value in zip(_SHARED, shared, strict=True) if value is not None}
        yield Page(
            model=model,
            model_version=version,
            window_start=parse_time(start),
            signal=signal,
            shared=_ENCODER.encode(told).decode(),
            window_end=parse_time(end),
            environment=environment,
            stamp=stamp,
            revision=revision,
            warnings=sum(one["status"] in _WARNING for one in documents),
            documents=pack(documents),
        )


def pack(documents: Sequence[object]) -> bytes:
    """Return documents as a compressed JSON array; the same ones give the same bytes."""
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL)
    return compressor.compress(_ENCODER.encode(documents)) + compressor.flush()


def unpack(documents: bytes) -> bytes:
    """Return the JSON array of a page."""
    return zlib.decompress(documents)
