"""Looking at the first lines of a source: what its format makes of them."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

from mlvitals.events import RawBatch
from mlvitals.formats import Mapped
from mlvitals.sources import Source
from mlvitals.sources.stdin import StandardInput

_LINES: Final = 1_000


def preview(source: Source) -> Iterator[tuple[bool, str]]:
    """Tell how many of a source's first lines are events, why others are not, and which paths lead nowhere.

    Yields:
        Whether it is good, and one line. Where most of the lines cannot be read, what is wrong is taken to be the
        configuration, not the lines. Nothing is read on from where this stops.

    Raises:
        InputError: the source cannot be read.

    """
    if isinstance(source, StandardInput):
        return
    form = source.format
    mapped = form if isinstance(form, Mapped) and form.is_mapped else None
    for raw in islice(source.read(complete=True), 1):
        first = _first_lines(raw)
        account = form.decode(first).account
        what = "events" if mapped is None else "mapped"
        told = f"of its first {account.rows} rows {account.parsed} are {what}, {account.skipped} skipped"
        reason = f", {account.unparseable} unparseable ({account.examples[0]})" if account.examples else ""
        good = 2 * account.unparseable <= account.rows and (account.parsed > 0 or not account.rows)
        yield good, f"{told}{reason}"
        if mapped is not None and account.parsed:
            yield from ((True, f"nothing stands at {path}") for path in mapped.unseen(first))


def _first_lines(raw: RawBatch) -> RawBatch:
    if not isinstance(raw.data, bytes):
        return replace(raw, data=raw.data.slice(0, _LINES))
    end = -1
    for _ in range(_LINES):
        found = raw.data.find(b"\n", end + 1)
        if found < 0:
            return raw
        end = found
    return replace(raw, data=raw.data[: end + 1])
