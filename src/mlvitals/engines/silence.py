"""Windows in which nothing was served: who is told to be silent, and for how long."""

from collections.abc import Iterator
from typing import Final

import msgspec

from mlvitals.windows.window import WindowSize

# A silence is told window by window for a week of hours, two hours and three quarters of minutes: long enough for any
# monitor. A model that is gone, or a clock that jumps a year, must not fill the outbox.
EMPTY_TOLD: Final = 168


class Silence(msgspec.Struct, kw_only=True):
    """How far a model's windows have been told, and who has been silent since.

    newest: the start of the newest window told. versions: those that served in the newest window in which any did.
    empty: windows told to be empty since then. untold: empty windows beyond the bound, which are only counted here,
    once the silence is over.
    """

    newest: int | None = None
    versions: tuple[str, ...] = ()
    empty: int = 0
    untold: int = 0

    def due(self, size: WindowSize, before: int) -> Iterator[int]:
        """Yield the starts of the empty windows to be told that end by a time, and note each as told.

        A step that ends in between leaves off where the next goes on: each is noted before it is yielded.
        """
        while (start := self.next(size, before)) is not None:
            self.newest = start
            self.empty += 1
            yield start

    def next(self, size: WindowSize, before: int) -> int | None:
        """Return the start of the next empty window to be told that ends by a time, None where there is none."""
        if self.newest is None or not self.versions or self.empty >= EMPTY_TOLD:
            return None
        start = size.end(self.newest)
        return start if size.end(start) <= before else None

    def end(self, size: WindowSize, start: int, versions: tuple[str, ...]) -> None:
        """Note that a window is told which holds rows, all windows to be told before it having been told.

        versions: those that served in it; none where all requests failed, and the silence goes on.
        """
        if self.newest is not None and self.versions:
            self.untold += size.count(size.end(self.newest), start)
        self.newest = start
        if versions:
            self.versions, self.empty = versions, 0
