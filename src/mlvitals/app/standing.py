"""How each model stands: what the state and the configuration know of it, the most troubled first."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from mlvitals.app.admission import discovered, models_of
from mlvitals.config import Config
from mlvitals.engines.model import Progress
from mlvitals.windows.window import WindowSize

_TABLES: Final = ("cohort", "prediction", "label", "held")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One model, as far as it has come.

    cause, since: why it cannot run, and since when (microseconds since the epoch); None where it can.
    warnings: measurements of its last closed window that warn. closed, settled: its watermarks. learning: its reference
    is being learnt. windows, remembered, labels, waiting: what is kept of it: cohorts, predictions, labels, rows held.
    configured: it is one of the configuration's.
    """

    model: str
    cause: str | None
    since: int | None
    warnings: int
    closed: int | None
    settled: int | None
    learning: bool
    windows: int
    remembered: int
    labels: int
    waiting: int
    configured: bool

    @property
    def trouble(self) -> tuple[bool, int, bool, str]:
        """What models are ordered by: those that cannot run, those that warn most, those that still learn, by name."""
        return self.cause is None, -self.warnings, not self.learning, self.model


def standings(config: Config, connection: sqlite3.Connection) -> list[Standing]:
    """Return every model that the state knows, the most troubled first."""
    faults = {model: (cause, since) for model, cause, since in connection.execute("SELECT * FROM fault")}
    progress = {
        model: msgspec.json.decode(document, type=Progress)
        for model, document in connection.execute("SELECT model, document FROM progress")
    }
    sizes = {model.name: model.windows.size.window for model in models_of(config, discovered(connection))}
    counts = {table: _counts(connection, table) for table in _TABLES}
    found = []
    for model in progress.keys() | faults.keys():
        known = progress.get(model, Progress())
        cause, since = faults.get(model, (None, None))
        one = Standing(
            model=model,
            cause=cause,
            since=since,
            warnings=_warnings(connection, model, sizes.get(model), known.closed),
            closed=known.closed,
            settled=known.settled,
            learning=known.learning.until is not None and not known.learning.done,
            windows=counts["cohort"].get(model, 0),
            remembered=counts["prediction"].get(model, 0),
            labels=counts["label"].get(model, 0),
            waiting=counts["held"].get(model, 0),
            configured=model in sizes,
        )
        found.append(one)
    return sorted(found, key=lambda one: one.trouble)


def _counts(connection: sqlite3.Connection, table: str) -> Mapping[str, int]:
    what = "sum(rows)" if table == "held" else "count(*)"
    return dict(connection.execute(f"SELECT model, {what} FROM {table} GROUP BY model"))


def _warnings(connection: sqlite3.Connection, model: str, size: WindowSize | None, closed: int | None) -> int:
    if size is None or closed is None:
        return 0
    query = (
        "SELECT coalesce(sum(warnings), 0) FROM measurement_page WHERE warnings > 0 AND model = ? AND window_start = ?"
    )
    start = size.start(size.start(closed) - 1)
    (count,) = connection.execute(query, (model, start)).fetchone()
    return int(count)
