"""Windows that are told too late for a destination (law 8): said beforehand, because then it is the normal case."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Final

from mlvitals.app.untouched import connect_untouched
from mlvitals.clock import HOUR, SECOND
from mlvitals.config import Config, ModelConfig
from mlvitals.delivery import LOGS, Sink
from mlvitals.sinks.local import measurements
from mlvitals.state import Store

_LAG: Final = "mlvitals.event.lag"
_MEDIAN: Final = "0.5"


def late_windows(config: Config, sink: Sink) -> Iterator[str]:
    """Yield a line for each model whose windows are past the age that a destination's points may have.

    A window is told after the model's lateness, and so much later as its events come, which the newest window of the
    state has measured, if there is one. How often `run --once` comes by is not known here.
    """
    if sink.renewal is None:
        return
    limits = [sink.renewal.age_limit(route) for route in sink.routes if route != LOGS]
    limit = min((limit for limit in limits if limit is not None), default=None)
    if limit is None:
        return
    for model in config.models:
        lateness, lag = model.windows.lateness.microseconds, _lag(config, model)
        if lateness + lag > limit:
            yield (
                f"takes no points older than {_hours(limit)}, and windows of {model.name} are told "
                f"{_hours(lateness + lag)} after their end (lateness {_hours(lateness)}, events {_hours(lag)} old when "
                "they are read): the newest of each series is plotted later than it was, the others go as logs"
            )


def _lag(config: Config, model: ModelConfig) -> int:
    """Return how old half of the events were when they were read, in microseconds; 0 where nothing was measured."""
    if not config.state.on_disk or not config.state.path.exists():
        return 0
    try:
        with closing(connect_untouched(config.state.path)) as connection:
            store = Store(connection, config.state.path, lock=None)
            medians = [
                (one.window_start, one.value)
                for one in measurements(store, signal=_LAG, model=model.name)
                if one.attributes.get("quantile") == _MEDIAN and one.value is not None
            ]
    except sqlite3.DatabaseError:  # what is wrong with the state is told by its own check
        return 0
    return int(max(max(medians)[1], 0.0) * SECOND) if medians else 0


def _hours(microseconds: int) -> str:
    return f"{microseconds / HOUR:.3g} h"
