"""The way out: the state, its outbox, the destinations and what sends to them, for as long as a job runs."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from mlvitals.app.admission import service_of
from mlvitals.app.deliver import Deliveries, deliveries
from mlvitals.clock import Clock, SteadyClock, SystemClock
from mlvitals.config import Config
from mlvitals.delivery import Outbox, Sender, Sink
from mlvitals.sinks import QueueConfig, SinkContext
from mlvitals.state import Migrations, Store


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What stays open whatever becomes of reading. steady: the clock that queues age by."""

    store: Store
    sinks: Sequence[Sink]
    outbox: Outbox
    steady: Clock
    deliveries: Deliveries


@contextmanager
def open_outgoing(config: Config, migrations: Sequence[Migrations]) -> Iterator[Outgoing]:
    """Open the state and the destinations of a configuration; what waits begins to leave at once.

    Where the state is not on a disk, nothing leaves before it is started: the state has to be kept first.

    Raises:
        StateError: the state is in use, or not usable at all.
        MlvitalsError: a sink cannot be opened.

    """
    with ExitStack() as stack:
        store = stack.enter_context(Store.open(config.state.path, migrations))
        context = SinkContext(service=service_of(config), specs=config.signals.specs, store=store)
        sinks = []
        for one in config.sinks:
            sinks.append(one.open(context))
            stack.callback(sinks[-1].close)
        bounds = {sink.name: getattr(sink, "queue", QueueConfig()).bounds for sink in config.sinks}
        outbox, steady = Outbox(store, bounds), SteadyClock()
        senders = [Sender(outbox=outbox, sink=sink, clock=SystemClock(), steady=steady) for sink in sinks]
        sending = deliveries(senders, at_once=config.state.on_disk)
        yield Outgoing(store, sinks, outbox, steady, stack.enter_context(sending))
