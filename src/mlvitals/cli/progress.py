"""How long work shows itself: a bar on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import click

_FIRST_PAUSE: Final = 10.0
_LONGEST_PAUSE: Final = 3600.0  # a job that follows its sources for months fills no log with this


@contextmanager
def counting_rows(what: str, *, unit: str = "rows") -> Iterator[Callable[[int], None]]:
    """Yield a function that is told of rows, or of what `unit` names, as they pass."""
    if sys.stderr.isatty():
        with _bar(what, unit) as advance:
            yield advance
    else:
        yield _lines(what, unit)


@contextmanager
def _bar(what: str, unit: str) -> Iterator[Callable[[int], None]]:
    from rich.console import Console  # noqa: PLC0415  # only a terminal needs it
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:,.0f} " + unit)
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what)
        yield lambda rows: progress.advance(task, rows)


def _lines(what: str, unit: str) -> Callable[[int], None]:
    """Return a function that tells in plain lines, after pauses that double from 10 seconds to an hour."""
    passed, last, pause = 0, time.monotonic(), _FIRST_PAUSE

    def tell(rows: int) -> None:
        nonlocal passed, last, pause
        passed += rows
        if time.monotonic() - last >= pause:
            last, pause = time.monotonic(), min(2 * pause, _LONGEST_PAUSE)
            click.echo(f"{what}: {passed} {unit}", err=True)

    return tell
