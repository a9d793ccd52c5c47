"""What crosses from sources to windows: batches of columns, and what became of every row."""

from mlvitals.events.batch import (
    CHANGE_COLUMNS,
    EXAMPLES_KEPT,
    LABEL_COLUMNS,
    PREDICTION_COLUMNS,
    TIME_TYPE,
    EventBatch,
    RawBatch,
    ReadAccount,
)
from mlvitals.events.canonical import Numbers, canonical_text, column, numbers
from mlvitals.events.disposition import Disposition
from mlvitals.events.fingerprint import fingerprints

__all__ = [
    "CHANGE_COLUMNS",
    "EXAMPLES_KEPT",
    "LABEL_COLUMNS",
    "PREDICTION_COLUMNS",
    "TIME_TYPE",
    "Disposition",
    "EventBatch",
    "Numbers",
    "RawBatch",
    "ReadAccount",
    "canonical_text",
    "column",
    "fingerprints",
    "numbers",
]
