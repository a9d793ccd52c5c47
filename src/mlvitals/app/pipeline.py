"""The composition root: from a configuration to a running pipeline."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from mlvitals import delivery, wire
from mlvitals.clock import Clock, FixedClock, SystemClock
from mlvitals.config import Config, ModelConfig
from mlvitals.delivery import Outbox, Sender, Sink
from mlvitals.engines import tables as engine_tables
from mlvitals.engines.account import Account
from mlvitals.engines.judging import Emission, Judge
from mlvitals.engines.layouts import References, choice_of
from mlvitals.engines.local import LocalEngine
from mlvitals.engines.model import ModelRun
from mlvitals.errors import ConfigError
from mlvitals.formats import DecodePlan, Want
from mlvitals.hashing import KeyedHash, load_key
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import Export
from mlvitals.sinks import SinkContext, local
from mlvitals.sources import Source
from mlvitals.state import Migrations, Store
from mlvitals.telemetry import LogRecord, MetricPoint, Service, render
from mlvitals.windows import tables as window_tables
from mlvitals.windows.reference import Reference, decode_reference, read_reference

MIGRATIONS: Final[Sequence[Migrations]] = (
    window_tables.MIGRATIONS,
    engine_tables.MIGRATIONS,
    delivery.MIGRATIONS,
    local.MIGRATIONS,
)


@dataclass(slots=True)
class Pipeline:
    """Sources, models and destinations that belong together, over one open state."""

    engine: LocalEngine
    sources: Sequence[Source]
    senders: Sequence[Sender]

    def read(self, *, complete: bool, progress: Callable[[int], None], stop: Callable[[], bool]) -> int:
        """Process what the sources have now; return the number of rows seen.

        complete: nothing will be appended, so that a last line without its newline is a line.
        """
        seen = 0
        for source in self.sources:
            for raw in source.read(complete=complete):
                batch = source.format.decode(raw)
                self.engine.process(source.name, batch)
                source.commit(batch.position)
                seen += batch.account.rows
                progress(batch.account.rows)
                if stop():
                    return seen
        return seen


@contextmanager
def open_pipeline(config: Config, *, until: int | None = None, clock: Clock | None = None) -> Iterator[Pipeline]:
    """Open the state, the references, the sources and the sinks of a configuration.

    Raises:
        StateError: the state is in use, or of another configuration.
        InputError: a reference cannot be read.
        ConfigError: a reference does not fit the configuration.

    """
    clock = clock or (SystemClock() if until is None else FixedClock(until))
    with ExitStack() as stack:
        references = {model.name: references_of(model) for model in config.models}
        store = stack.enter_context(Store.open(config.state.path, MIGRATIONS))
        sinks = [
            sink.open(SinkContext(service=service_of(config), specs=REGISTRY, store=store)) for sink in config.sinks
        ]
        for sink in sinks:
            stack.callback(sink.close)
        outbox = Outbox(store)
        outlet = Outlet(config, outbox, sinks)
        engine = _engine(config, store, references, outlet=outlet, clock=clock, until=until)
        engine.begin()
        sources = []
        for source in config.sources:
            opened = source.open(decode_plan(config, references, source.role))
            stack.callback(opened.close)
            position = engine.position(opened.name)
            if position is not None:
                opened.restore(position)
            sources.append(opened)
        senders = [Sender(outbox=outbox, sink=sink, clock=SystemClock()) for sink in sinks]
        yield Pipeline(engine, sources, senders)


class Outlet:
    """Renders what a transaction emits and puts it into the outbox of every destination, in that transaction."""

    def __init__(self, config: Config, outbox: Outbox, sinks: Sequence[Sink]) -> None:
        self._level = Export(config.budget.export)
        self._services = {model.name: service_of(config, model) for model in config.models}
        self._outbox = outbox
        self._sinks = sinks
        self._clock = SystemClock()  # a queue ages in real time, whatever time the events tell

    def __call__(self, connection: sqlite3.Connection, emissions: Sequence[Emission]) -> None:
        """Enqueue emissions; the connection's transaction holds them."""
        del connection  # the outbox joins the transaction that is open
        points: list[MetricPoint] = []
        logs: list[LogRecord] = []
        for emission in emissions:
            rendered = render(
                emission.measurements,
                stamp=emission.stamp,
                start=emission.start,
                level=self._level,
                specs=REGISTRY,
                service=self._services[emission.model],
                revised=emission.revised,
            )
            points += rendered[0]
            logs += rendered[1]
        for sink in self._sinks:
            self._outbox.enqueue(sink.name, sink.encode(points, logs), self._clock.now())


def _engine(
    config: Config,
    store: Store,
    references: Mapping[str, References],
    *,
    outlet: Outlet,
    clock: Clock,
    until: int | None,
) -> LocalEngine:
    account = Account()
    key = KeyedHash(load_key(config.state.key.path))
    with store.transaction() as connection:
        learnt = dict(connection.execute("SELECT model, reference FROM learnt"))
        for name, known in references.items():
            if known.operating is None and name in learnt:
                known.learn(decode_reference(learnt[name], f"the reference learnt for `{name}`"))
        runs = {
            model.name: ModelRun(connection, model, references[model.name], key, account) for model in config.models
        }
    judges = {
        model.name: Judge(
            model=model.name,
            environment=config.service.environment,
            references=references[model.name],
            metrics=frozenset(model.performance.metrics),
            sensitive=frozenset(model.features.sensitive),
        )
        for model in config.models
    }
    return LocalEngine(store, runs, judges, account, outlet, clock, until)


def references_of(model: ModelConfig) -> References:
    """Return what a model's references hold.

    Raises:
        InputError: one cannot be read.
        ConfigError: one was built for another model, or with windows of another size.

    """
    operating = None if model.operating is None else model.operating.path
    known = References(
        choice_of(model),
        operating=None if operating is None else read_reference(operating),
        training={version: read_reference(one.training) for version, one in model.versions.items()},
    )
    for reference in (known.operating, *known.training.values()):
        if reference is not None:
            _check_reference(model, reference)
    return known


def _check_reference(model: ModelConfig, reference: Reference) -> None:
    if reference.model != model.name:
        raise ConfigError(f"model `{model.name}`: its reference was built for model `{reference.model}`")
    if reference.window != model.windows.size:
        raise ConfigError(
            f"model `{model.name}`: its reference was built with windows of {reference.window}, "
            f"the configuration says {model.windows.size}: build it again, or change `windows.size`"
        )


def decode_plan(config: Config, references: Mapping[str, References], role: str) -> DecodePlan:
    """Return what has to be decoded: the union of what the models look at."""
    wanted: dict[str, Want] = {}
    for model in config.models:
        known = references[model.name]
        layout = known.layout("")
        if layout is None:
            wanted = {}
            break
        spelled = {new: old for old, new in model.features.aliases.items()}
        for feature in layout.features:
            for name in {feature.name, spelled.get(feature.name, feature.name)}:
                want = Want.NUMBER if feature.holds_numbers else Want.TEXT
                wanted[name] = want if wanted.get(name, want) is want else Want.TEXT
        wanted |= {name.removeprefix(wire.FEATURE_PREFIX): Want.TEXT for name in model.segments}
    return DecodePlan(
        features=wanted or None,
        ids=any(model.labels is not None or model.deduplicate for model in config.models),
        model=config.models[0].name if len(config.models) == 1 else None,
        predictions=role != "labels",
        labels=role != "predictions",
    )


def service_of(config: Config, model: ModelConfig | None = None) -> Service:
    """Return who speaks, for a model or for the process."""
    service = config.service
    return Service(
        name=service.name,
        environment=service.environment,
        tags=service.tags,
        owner="" if model is None else model.owner or "",
    )
