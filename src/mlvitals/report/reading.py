"""Reading measurements by the thousand: only the signals that are asked for, only the fields that are shown."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

import msgspec

from mlvitals.signals.spec import MetricSpec, Status
from mlvitals.sinks.pages import unpack

# A segment's measurements stand beside those of all rows; what is charted is all rows. In JSON a quote inside a name
# is escaped, so that no name can look like this key.
_WHOLE: Final = """shared NOT LIKE '%"segment":%'"""

_WARNS: Final = frozenset({Status.WARNING.value, Status.ALERT.value})


class _Evidence(msgspec.Struct):
    noise: float | None = None


class _Document(msgspec.Struct):
    attributes: msgspec.Raw
    status: str
    value: float | None
    samples: int
    threshold: float | None
    lower: float | None
    upper: float | None
    evidence: _Evidence


class Row(NamedTuple):
    """One measurement, without what names it: `attributes` is JSON, the same text wherever they are the same."""

    spec: MetricSpec
    attributes: str
    status: str
    value: float | None
    noise: float | None
    threshold: float | None
    lower: float | None
    upper: float | None
    samples: int

    @property
    def signal(self) -> str:
        """The signal's full name."""
        return self.spec.name


class Mark(NamedTuple):
    """A measurement that warns: where it stands, and what the evidence says."""

    version: str
    start: int
    row: Row


_DECODER: Final = msgspec.json.Decoder(list[_Document])
_ATTRIBUTES: Final = msgspec.json.Decoder(dict[str, str])


def decode_attributes(text: str) -> Mapping[str, str]:
    """Return the attributes in a row's `attributes`."""
    return _ATTRIBUTES.decode(text)


def stored_models(connection: sqlite3.Connection) -> list[str]:
    """Return the models that have measurements, in order, without reading these."""
    return list(_steps(connection, "model", "", (), ""))


def stored_versions(connection: sqlite3.Connection, model: str) -> list[str]:
    """Return a model's versions that have measurements, in order."""
    first = connection.execute("SELECT min(model_version) FROM measurement_page WHERE model = ?", (model,)).fetchone()[
        0
    ]
    if first is None:
        return []
    return [first, *_steps(connection, "model_version", "model = ? AND", (model,), first)]


def window_starts(connection: sqlite3.Connection, model: str, version: str, since: int, most: int) -> list[int]:
    """Return the starts of a version's newest windows, ascending: at most `most`, none before `since`."""
    starts: list[int] = []
    before: int | None = None
    while len(starts) < most:
        where, values = ("", ()) if before is None else ("AND window_start < ?", (before,))
        (found,) = connection.execute(
            f"SELECT max(window_start) FROM measurement_page WHERE model = ? AND model_version = ? {where}",
            (model, version, *values),
        ).fetchone()
        if found is None or found < since:
            break
        starts.append(found)
        before = found
    return starts[::-1]


def read_window(
    connection: sqlite3.Connection,
    model: str,
    version: str,
    start: int,
    *,
    signals: Iterable[MetricSpec],
    methods: Sequence[str] = (),
) -> Iterator[Row]:
    """Yield one window's measurements of these signals, segments left out, by signal and attributes.

    methods: leave out what has another `method` than these; empty for any.
    """
    specs = {spec.name: spec for spec in signals}
    marks = ", ".join("?" * len(specs))
    likes = [f'%"method":"{method}"%' for method in methods]
    chosen = "".join(" OR shared LIKE ?" for _ in likes)
    method = f"""AND (shared NOT LIKE '%"method":%'{chosen})""" if likes else ""
    pages = connection.execute(
        "SELECT signal, documents FROM measurement_page "
        f"WHERE model = ? AND model_version = ? AND window_start = ? AND signal IN ({marks}) AND {_WHOLE} {method} "
        "ORDER BY signal, shared, window_end, environment",
        (model, version, start, *specs, *likes),
    )
    for signal, found in groupby(pages, key=itemgetter(0)):
        rows = [row for _, documents in found for row in _rows(specs[signal], documents)]
        yield from sorted(rows, key=lambda row: row.attributes)


def read_marks(
    connection: sqlite3.Connection, model: str, since: int, specs: Mapping[str, MetricSpec]
) -> Iterator[Mark]:
    """Yield every measurement of these signals that warns, segments included, by window."""
    pages = connection.execute(
        "SELECT window_start, model_version, signal, documents FROM measurement_page "
        "WHERE warnings > 0 AND model = ? AND window_start >= ? "
        "ORDER BY window_start, model_version, signal, shared, window_end, environment",
        (model, since),
    )
    for (start, version, signal), found in groupby(pages, key=itemgetter(0, 1, 2)):
        if signal in specs:
            rows = [row for *_, documents in found for row in _rows(specs[signal], documents) if row.status in _WARNS]
            for row in sorted(rows, key=lambda row: row.attributes):
                yield Mark(version, start, row)


def _rows(spec: MetricSpec, documents: bytes) -> Iterator[Row]:
    for one in _DECODER.decode(unpack(documents)):
        attributes = bytes(one.attributes).decode()
        yield Row(
            spec,
            attributes,
            one.status,
            one.value,
            one.evidence.noise,
            one.threshold,
            one.lower,
            one.upper,
            one.samples,
        )


def _steps(
    connection: sqlite3.Connection, column: str, where: str, values: tuple[str, ...], first: str
) -> Iterator[str]:
    """Yield a column's distinct values beyond the first by stepping along the index from one to the next."""
    last: str | None = first
    while last is not None:
        query = f"SELECT min({column}) FROM measurement_page WHERE {where} {column} > ?"
        (last,) = connection.execute(query, (*values, last)).fetchone()
        if last is not None:
            yield last
