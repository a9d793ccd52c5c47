"""Requests and responses joined outside of a running job: for a reference, all at once."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from mlvitals.engines.account import Account
from mlvitals.engines.pairing import Pairing
from mlvitals.engines.tables import MIGRATIONS
from mlvitals.events import EventBatch, ReadAccount
from mlvitals.formats.times import LATEST
from mlvitals.hashing import KeyedHash
from mlvitals.state import Store


def join_halves(batches: Iterable[EventBatch]) -> Iterator[EventBatch]:
    """Yield batches of whole predictions: halves wait for each other in a temporary file; what meets nothing is left.

    A batch with halves comes first without them, so that its rows are accounted for once.
    """
    with ExitStack() as stack:
        pairing: Pairing | None = None
        for batch in batches:
            yield replace(batch, halves={})
            if not batch.halves:
                continue
            if pairing is None:
                folder = stack.enter_context(tempfile.TemporaryDirectory())
                store = stack.enter_context(Store.open(Path(folder, "halves.db"), (MIGRATIONS,)))
                pairing = Pairing(store.connection, Account(), KeyedHash(b""))  # the file does not outlive the call
            with store.transaction():
                paired = pairing.take("", batch.halves, LATEST)
            for one in paired:
                yield replace(batch, predictions=one.predictions, halves={}, account=ReadAccount(rows=0, parsed=0))
