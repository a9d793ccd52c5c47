"""What batches of events say, however their columns are typed and cut."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pyarrow as pa

from mlvitals.contracts.require import require
from mlvitals.events import EventBatch, ReadAccount
from mlvitals.formats.rows import spell

Rows = list[dict[str, str]]


class Content(NamedTuple):
    """Rows of canonical values, and how many rows were parsed, unparseable or skipped, those that were none left out.

    halves: requests and responses that wait for each other, by which of the two they are.
    """

    predictions: Rows
    labels: Rows
    changes: Rows
    dispositions: Mapping[str, int]
    halves: Mapping[str, Rows]


def content_of(batches: Iterable[EventBatch]) -> Content:
    """Return what batches say together.

    Raises:
        AssertionError: a batch's account does not add up.

    """
    predictions, labels, changes = Rows(), Rows(), Rows()
    dispositions, halves = Counter[str](), dict[str, Rows]()
    for batch in batches:
        predictions += _rows(batch.predictions)
        labels += _rows(batch.labels)
        changes += _rows(batch.changes)
        dispositions += _count(batch.account)
        for name, table in batch.halves.items():
            halves.setdefault(name, []).extend(_rows(table))
    return Content(predictions, labels, changes, dispositions, halves)


def _rows(table: pa.RecordBatch) -> Rows:
    return [
        {
            name: value.isoformat() if hasattr(value, "isoformat") else spell(value)
            for name, value in row.items()
            if value is not None
        }
        for row in table.to_pylist()
    ]


def _count(account: ReadAccount) -> Counter[str]:
    counted = account.parsed + account.unparseable + account.skipped
    require(account.rows == counted, f"of {account.rows} rows {counted} have a disposition: {account}")
    return Counter(parsed=account.parsed, unparseable=account.unparseable, skipped=account.skipped)
