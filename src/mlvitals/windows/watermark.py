"""The watermark: up to which event time a model's predictions are taken to be complete."""

from dataclasses import dataclass, field

import msgspec


class SourceProgress(msgspec.Struct):
    """How far one source has come for one model.

    newest: the greatest accepted event time; seen: the clock when it last brought a row of the model (microseconds).
    """

    newest: int
    seen: int


@dataclass(slots=True)
class Watermark:
    """One model's progress over its sources, persisted with every batch.

    predictions: by prediction source; the least of them, less the lateness, is the watermark. labels: by any source.
    closed: windows that end at or before it are closed; it never goes back. settled: likewise for maturities.
    forgotten: windows that start before it are forgotten.
    """

    predictions: dict[str, SourceProgress] = field(default_factory=dict)
    labels: dict[str, SourceProgress] = field(default_factory=dict)
    closed: int | None = None
    settled: int | None = None
    forgotten: int | None = None

    def observe(self, kind: dict[str, SourceProgress], source: str, newest: int, now: int) -> None:
        """Note the newest accepted event of a source, of `predictions` or `labels`."""
        progress = kind.get(source)
        if progress is None:
            kind[source] = SourceProgress(newest=newest, seen=now)
        else:
            progress.newest = max(progress.newest, newest)
            progress.seen = now

    def while_running(self, now: int, *, lateness: int, idle: int) -> tuple[int | None, int | None]:
        """Return how far to close and to settle in a running job.

        A source that is silent for longer than `idle` moves on with the clock, so that it does not hold the others.
        """
        predictions = [_advanced(progress, now, idle) for progress in self.predictions.values()]
        labels = [_advanced(progress, now, idle) for progress in self.labels.values()]
        if not predictions:
            return None, max(labels, default=None)
        return min(predictions) - lateness, max(predictions + labels)

    def when_all_is_read(self, *, lateness: int) -> tuple[int | None, int | None]:
        """Return how far to close and to settle once every source has been read to its end."""
        predictions = [progress.newest for progress in self.predictions.values()]
        labels = [progress.newest for progress in self.labels.values()]
        if not predictions:
            return None, max(labels, default=None)
        return max(predictions) - lateness, max(predictions + labels)

    def advance(self, close: int | None, settle: int | None) -> None:
        """Move on; what is closed or settled stays so."""
        if close is not None:
            self.closed = close if self.closed is None else max(self.closed, close)
        if settle is not None:
            self.settled = settle if self.settled is None else max(self.settled, settle)


def _advanced(progress: SourceProgress, now: int, idle: int) -> int:
    return progress.newest + max(0, now - progress.seen - idle)
