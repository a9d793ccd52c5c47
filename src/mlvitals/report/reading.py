"""Reading measurements by the thousand: only the signals that are asked for, only the fields that are shown."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from mlvitals.signals.spec import MetricSpec

# A segment's measurements stand beside those of all rows; what is charted is all rows. In JSON a quote inside a name
# is escaped, so that no name can look like this key.
_WHOLE: Final = """attributes NOT LIKE '%"segment":%'"""


class _Evidence(msgspec.Struct):
    noise: float | None = None


class _Document(msgspec.Struct):
    value: float | None
    samples: int
    threshold: float | None
    lower: float | None
    upper: float | None
    evidence: _Evidence


class Row(NamedTuple):
    """One measurement, without what names it: `attributes` is the JSON text that it is stored under."""

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


_DECODER: Final = msgspec.json.Decoder(_Document)
_ATTRIBUTES: Final = msgspec.json.Decoder(dict[str, str])


def decode_attributes(text: str) -> Mapping[str, str]:
    """Return the attributes in a measurement's `attributes` column."""
    return _ATTRIBUTES.decode(text)


def stored_models(connection: sqlite3.Connection) -> list[str]:
    """Return the models that have measurements, in order, without reading these."""
    return list(_steps(connection, "model", "", (), ""))


def stored_versions(connection: sqlite3.Connection, model: str) -> list[str]:
    """Return a model's versions that have measurements, in order."""
    first = connection.execute("SELECT min(model_version) FROM measurement WHERE model = ?", (model,)).fetchone()[0]
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
            f"SELECT max(window_start) FROM measurement WHERE model = ? AND model_version = ? {where}",
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
    chosen = "".join(" OR attributes LIKE ?" for _ in likes)
    method = f"""AND (attributes NOT LIKE '%"method":%'{chosen})""" if likes else ""
    rows = connection.execute(
        "SELECT signal, attributes, status, document FROM measurement "
        f"WHERE model = ? AND model_version = ? AND window_start = ? AND signal IN ({marks}) AND {_WHOLE} {method} "
        "ORDER BY signal, attributes, identity",
        (model, version, start, *specs, *likes),
    )
    for signal, attributes, status, document in rows:
        yield _row(specs[signal], attributes, status, document)


def read_marks(
    connection: sqlite3.Connection, model: str, since: int, specs: Mapping[str, MetricSpec]
) -> Iterator[Mark]:
    """Yield every measurement of these signals that warns, segments included, by window."""
    rows = connection.execute(
        "SELECT model_version, window_start, signal, attributes, status, document FROM measurement "
        "WHERE status IN ('warning', 'alert') AND model = ? AND window_start >= ? "
        "ORDER BY window_start, model_version, signal, attributes",
        (model, since),
    )
    for version, start, signal, attributes, status, document in rows:
        if signal in specs:
            yield Mark(version, start, _row(specs[signal], attributes, status, document))


def _row(spec: MetricSpec, attributes: str, status: str, document: str) -> Row:
    one = _DECODER.decode(document)
    return Row(
        spec, attributes, status, one.value, one.evidence.noise, one.threshold, one.lower, one.upper, one.samples
    )


def _steps(
    connection: sqlite3.Connection, column: str, where: str, values: tuple[str, ...], first: str
) -> Iterator[str]:
    """Yield a column's distinct values beyond the first by stepping along the index from one to the next."""
    last: str | None = first
    while last is not None:
        query = f"SELECT min({column}) FROM measurement WHERE {where} {column} > ?"
        (last,) = connection.execute(query, (*values, last)).fetchone()
        if last is not None:
            yield last
