"""Watching over a job that follows its sources: what it tells of itself, and those who ask it."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

from mlvitals.app.health import Health
from mlvitals.app.pipeline import Pipeline, open_pipeline
from mlvitals.app.vitals import Gauges, Pulse, Vitals
from mlvitals.config import Config


@runtime_checkable
class Serving(Protocol):
    """A destination that others fetch from while the job runs."""

    @property
    def name(self) -> str:
        """The destination's name."""
        ...

    def serve(self) -> str:
        """Begin to listen until it is closed; return where."""
        ...


@dataclass(frozen=True, slots=True)
class Watch:
    """A pipeline, and what its loop owes those who watch it. Every call is the loop's own."""

    pipeline: Pipeline
    pulse: Pulse
    vitals: Vitals

    @classmethod
    def over(cls, pipeline: Pipeline) -> Self:
        """Return a watch over a pipeline that has just been opened."""
        pulse = Pulse()
        gauges = Gauges(pipeline.config, pulse, pipeline.outgoing.steady)
        return cls(pipeline, pulse, Vitals(pipeline.outgoing, gauges))

    def turn(self) -> None:
        """Note that the loop turns."""
        self.pulse.turned = time.monotonic()

    def tell(self) -> None:
        """Tell of the job if it is time; the transaction may find the disk full, as any other."""
        self._look()
        self.vitals.tell_if_due()

    def tell_what_is_kept(self, keep: Callable[[], None]) -> None:
        """Tell of the job once, when it has done what it does; `keep` keeps the state of which it is told."""
        self._look()
        self.vitals.tell_what_is_kept(keep)

    def come_round(self, troubles: Sequence[str]) -> None:
        """Note that the loop has come round: what was there is read, or why it could not be."""
        self._look()
        pulse = self.pulse
        pulse.unread = [f"source {one.name}: {fault}" for one in self.pipeline.sources for fault in one.faults]
        pulse.broken = [*troubles, *self.pipeline.problems]
        pulse.ready = True
        self.turn()

    def _look(self) -> None:
        self.pulse.sources = sum(bool(source.faults) for source in self.pipeline.sources)
        self.pulse.models = len(self.pipeline.engine.faults)
        seconds = self.pipeline.engine.closing_seconds
        self.pulse.closing = self.pulse.closing if seconds is None else seconds


@contextmanager
def watched_pipeline(config: Config, tell: Callable[[str], None]) -> Iterator[Watch]:
    """Open a configuration's pipeline, and what listens beside it; `tell` is given where, a line each.

    Raises:
        StateError: the state is in use, or not usable at all.
        MlvitalsError: a source, a sink or an address cannot be opened.

    """
    with ExitStack() as stack:
        pipeline = stack.enter_context(open_pipeline(config))
        watch = Watch.over(pipeline)
        for sink in pipeline.outgoing.sinks:
            if isinstance(sink, Serving):
                tell(f"sink {sink.name}: scrapes are answered at {sink.serve()}")
        if config.health is not None:
            listener = Health(config, watch.vitals.gauges).listen(config.health.listen)
            stack.callback(listener.close)
            tell(f"health: asked at http://{listener.address}/healthz")
        if config.instrumentation is not None:
            from mlvitals.app.instrumentation import instrumented  # noqa: PLC0415  # an extra

            stack.enter_context(instrumented(config, watch.vitals))
        yield watch
