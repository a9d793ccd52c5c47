"""The two shapes in which events travel: raw from a source, columns from a format."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from mlvitals import wire

TIME_TYPE = pa.timestamp("us", tz="UTC")

# The columns that stand in every batch. Others (model_version, prediction.*, latency_ms, error, weight, amount,
# features.*) stand where the input has them; a column that is absent is null in every row.
PREDICTION_COLUMNS = (wire.TIMESTAMP, wire.MODEL)
LABEL_COLUMNS = (wire.TIMESTAMP, wire.MODEL, wire.PREDICTION_ID, wire.LABEL)
CHANGE_COLUMNS = (wire.TIMESTAMP, wire.MODEL, wire.KIND, wire.TEXT)

EXAMPLES_KEPT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBatch:
    """Undecoded rows of one source.

    `data` is whole lines (bytes) or rows that are columns already; `header` is what the format needs from the head of
    the file; `place` names where the rows stand, for messages; `position` is where the source stands after them.
    """

    data: bytes | pa.RecordBatch
    place: str
    position: bytes
    header: bytes = b""
    first_line: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAccount:
    """What a format made of the rows it was given: rows = parsed + unparseable + skipped.

    `examples` keeps a few reasons with their places; never a row's content.
    """

    rows: int
    parsed: int
    unparseable: int = 0
    skipped: int = 0
    examples: tuple[str, ...] = ()

    def __add__(self, other: "ReadAccount") -> "ReadAccount":
        return ReadAccount(
            rows=self.rows + other.rows,
            parsed=self.parsed + other.parsed,
            unparseable=self.unparseable + other.unparseable,
            skipped=self.skipped + other.skipped,
            examples=(self.examples + other.examples)[:EXAMPLES_KEPT],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBatch:
    """Decoded events, as columns named by `mlvitals.wire`.

    predictions: timestamp[us, UTC] and model (string or dictionary) without nulls, then what the input has:
        prediction_id, model_version, error (string or dictionary), prediction.label (any scalar), prediction.score,
        prediction.value, prediction.probabilities.*, latency_ms, weight, amount (float64), prediction.ranking (lists of
        uint64, hashes of ids), features.* (any type; null type where never seen).
    labels: timestamp, model, prediction_id (string), label (any scalar, or grades of relevance spelt as a text; never
        null), optional amount, version.
    changes: timestamp, model, kind, text.
    A row that carries a prediction and a label stands in both tables. Row order is source order.
    halves: requests and responses that were logged apart, by `wire.EVENT_REQUEST` and `wire.EVENT_RESPONSE`: columns of
        predictions, prediction_id without nulls, `deadline` (until when the other is waited for), and on responses
        `responded` where the latency is the time between the two.
    """

    predictions: pa.RecordBatch
    labels: pa.RecordBatch
    changes: pa.RecordBatch
    account: ReadAccount
    position: bytes = field(repr=False)
    halves: Mapping[str, pa.RecordBatch] = field(default_factory=dict)
