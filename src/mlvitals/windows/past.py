"""What was served in windows that are forgotten: their counts alone, so that a report can still show them."""

import sqlite3
from typing import Final

from mlvitals.windows.groups import ALL
from mlvitals.windows.kept_layouts import kept_layout
from mlvitals.windows.summary import Summary, unpack

# A cohort's counts are a fiftieth of its measurements, which the local store keeps; twenty days of hours, a decade of
# weeks.
PAST_COHORTS: Final = 500


def keep_past(connection: sqlite3.Connection, model: str, before: int) -> None:
    """Keep the served counts of whole cohorts that start before a time and are about to be forgotten.

    The newest `PAST_COHORTS` of a model stay. Belongs into the caller's transaction.
    """
    connection.execute(
        "INSERT OR REPLACE INTO past SELECT model, start, version, end, layout, served FROM cohort "
        "WHERE model = ? AND start < ? AND segment = ?",
        (model, before, ALL),
    )
    connection.execute(
        "DELETE FROM past WHERE model = ?1 AND start <= "
        "(SELECT start FROM past WHERE model = ?1 ORDER BY start DESC LIMIT 1 OFFSET ?2)",
        (model, PAST_COHORTS),
    )


def read_served(connection: sqlite3.Connection, model: str, version: str, start: int) -> Summary | None:
    """Return what a version served in a window, without outcomes; None where that is no longer known."""
    for table, where in (("cohort", f"AND segment = '{ALL}'"), ("past", "")):
        row = connection.execute(
            f"SELECT layout, served FROM {table} WHERE model = ? AND start = ? AND version = ? {where}",
            (model, start, version),
        ).fetchone()
        if row is not None:
            layout = kept_layout(connection, row[0])
            empty = Summary.empty(layout)
            return Summary(layout, unpack(row[1], (layout.served_size,)), empty.outcomes)
    return None
