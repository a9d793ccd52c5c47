"""How each model stands: what the state and the configuration know of it, the most troubled first."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from mlvitals.app.admission import discovered, models_of
from mlvitals.config import Config
from mlvitals.engines.model import Progress
from mlvitals.report.episodes import find_episodes
from mlvitals.report.frame import Frame, Window
from mlvitals.report.reading import Row, read_marks
from mlvitals.signals.spec import MetricSpec
from mlvitals.windows.memory import count_remembered
from mlvitals.windows.remembered_rows import LABEL, PREDICTION
from mlvitals.windows.window import WindowSize

GRAVEST_SHOWN: Final = 3

_TABLES: Final = ("cohort", "label", "held")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One model, as far as it has come.

    cause, since: why it cannot run, and since when (microseconds since the epoch); None where it can.
    warnings: measurements of its last closed window that warn. gravest: a few of them, each of another thing, furthest
    past its threshold first. closed, settled: its watermarks. learning: its reference is being learnt. windows,
    remembered, labels, waiting: what is kept of it: cohorts, predictions, labels, rows held.
    configured: it is one of the configuration's.
    """

    model: str
    cause: str | None
    since: int | None
    warnings: int
    gravest: Sequence[Row]
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
    counts |= {f"remembered {kind.name}": count_remembered(connection, kind) for kind in (PREDICTION, LABEL)}
    found = []
    for model in progress.keys() | faults.keys():
        known = progress.get(model, Progress())
        cause, since = faults.get(model, (None, None))
        newest = _newest(sizes.get(model), known.closed)
        warnings = 0 if newest is None else _warnings(connection, model, newest)
        one = Standing(
            model=model,
            cause=cause,
            since=since,
            warnings=warnings,
            gravest=_gravest(connection, model, newest, config.signals.specs)
            if newest is not None and warnings
            else (),
            closed=known.closed,
            settled=known.settled,
            learning=known.learning.until is not None and not known.learning.done,
            windows=counts["cohort"].get(model, 0),
            remembered=counts["remembered prediction"].get(model, 0),
            labels=counts["label"].get(model, 0) + counts["remembered label"].get(model, 0),
            waiting=counts["held"].get(model, 0),
            configured=model in sizes,
        )
        found.append(one)
    return sorted(found, key=lambda one: one.trouble)


def _counts(connection: sqlite3.Connection, table: str) -> Mapping[str, int]:
    what = "sum(rows)" if table == "held" else "count(*)"
    return dict(connection.execute(f"SELECT model, {what} FROM {table} GROUP BY model"))


def _newest(size: WindowSize | None, closed: int | None) -> int | None:
    """Return where the last closed window starts, None where there is none yet."""
    return None if size is None or closed is None else size.start(size.start(closed) - 1)


def _warnings(connection: sqlite3.Connection, model: str, start: int) -> int:
    query = (
        "SELECT coalesce(sum(warnings), 0) FROM measurement_page WHERE warnings > 0 AND model = ? AND window_start = ?"
    )
    (count,) = connection.execute(query, (model, start)).fetchone()
    return int(count)


def _gravest(
    connection: sqlite3.Connection, model: str, start: int, specs: Mapping[str, MetricSpec]
) -> tuple[Row, ...]:
    """Return what warns most in a window, as a report of this window alone tells it: a feature is one thing."""
    frame = Frame(model, [Window(start, version="", served=0.0)], specs)
    episodes = find_episodes(read_marks(connection, model, start, specs), frame)
    return tuple(one.peak for one in episodes[:GRAVEST_SHOWN])
