"""The composition root: from a configuration to a running pipeline."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from operator import attrgetter
from typing import Final

from mlvitals import delivery, telemetry, wire
from mlvitals.app.admission import Admission
from mlvitals.app.outgoing import Outgoing, open_outgoing
from mlvitals.app.vitals import MIGRATIONS as VITALS
from mlvitals.clock import Clock, FixedClock, SystemClock, parse_time
from mlvitals.config import Config
from mlvitals.decisions import episode_tables
from mlvitals.decisions import tables as decision_tables
from mlvitals.decisions.episode import Happening
from mlvitals.decisions.episodes import Episodes
from mlvitals.decisions.words import unheeded
from mlvitals.engines import roster
from mlvitals.engines import tables as engine_tables
from mlvitals.engines.account import Account
from mlvitals.engines.changes import Change
from mlvitals.engines.ids_key import hold_key
from mlvitals.engines.judging import Emission
from mlvitals.engines.layouts import References
from mlvitals.engines.local import LocalEngine
from mlvitals.events import ReadAccount
from mlvitals.formats import DecodePlan, Want
from mlvitals.plan import Allowances
from mlvitals.signals.spec import Export
from mlvitals.sinks import datadog, local, prometheus
from mlvitals.sources import Source, SourceConfig
from mlvitals.state import Migrations
from mlvitals.telemetry import (
    Gate,
    LogRecord,
    MetricPoint,
    Service,
    Window,
    change_record,
    forget_series,
    page_record,
    render,
)
from mlvitals.windows import tables as window_tables

METRICS: Final = "metrics"  # the route of points, of every destination that takes any

MIGRATIONS: Final[Sequence[Migrations]] = (
    window_tables.MIGRATIONS,
    engine_tables.MIGRATIONS,
    roster.MIGRATIONS,
    decision_tables.MIGRATIONS,
    episode_tables.MIGRATIONS,
    delivery.MIGRATIONS,
    telemetry.MIGRATIONS,
    datadog.MIGRATIONS,
    local.MIGRATIONS,
    prometheus.MIGRATIONS,
    VITALS,
)


class Pipeline:
    """Sources, models and destinations that belong together, over one open state."""

    engine: LocalEngine
    admission: Admission
    sources: Sequence[Source]

    def __init__(self, config: Config, outgoing: Outgoing, clock: Clock, until: int | None) -> None:
        self.config = config
        self.deliveries = outgoing.deliveries
        self.outgoing = outgoing
        self._clock = clock
        self._until = until
        self._opened = ExitStack()
        self._unkept: dict[str, tuple[Source, bytes]] = {}
        self.begin()

    def begin(self) -> None:
        """Open models and sources where the state stands; what was open before is closed, and what it knew forgotten.

        Raises:
            MlvitalsError: a source cannot be opened.

        """
        self.close()
        config, store = self.config, self.outgoing.store
        account = Account()
        key = hold_key(store, config.state.key.path)
        admission = Admission(config, store.connection, key, account)
        with store.transaction() as connection:
            members, faults = admission.begin()
            if not config.faults:  # who cannot be read today may be there again tomorrow
                forget_series(connection, admission.maturities)
        allowances = Allowances(config.budget, admission.monitored)
        outlet = Outlet(config, admission.service, self.outgoing, gate=Gate(allowances))
        if outlet.sends_points:
            allowances.begin(members)
        engine = LocalEngine(
            store,
            account,
            outlet,
            self._clock,
            key=key,
            members=members,
            faults=faults,
            admit=admission,
            until=self._until,
        )
        engine.begin()
        references = {name: member.run.references for name, member in members.items()}
        sources = [self._open_source(source, engine, references) for source in config.sources]
        self.engine, self.admission, self.sources = engine, admission, sources
        self._outlet = outlet

    def close(self) -> None:
        """Close the sources."""
        self._opened.close()

    @property
    def problems(self) -> list[str]:
        """What of the configuration cannot be used, and which models cannot run, a line each."""
        told = [fault.message for fault in self.config.faults]
        failed = (f"model {name}: {cause}" for name, cause in self.engine.faults.items() if cause not in told)
        return [*told, *failed, *self.admission.problems]

    def heed(self) -> None:
        """Do what people have said since the last time, and tell it."""
        store = self.outgoing.store
        if unheeded(store.connection):
            with store.transaction() as connection:
                self._outlet(connection, Episodes(connection).heed())

    def read(self, *, complete: bool, progress: Callable[[int], None], stop: Callable[[], bool]) -> ReadAccount:
        """Process what the sources have now; return what became of the rows as they were read.

        complete: nothing will be appended, so that a last line without its newline is a line.
        """
        seen = ReadAccount(rows=0, parsed=0)
        for source in self.sources:
            for raw in source.read(complete=complete):
                batch = source.format.decode(raw)
                self.heed()
                self.engine.process(source.name, batch)
                self._commit(source, batch.position)
                self.deliveries.check()
                seen += batch.account
                progress(batch.account.rows)
                if stop():
                    return seen
        return seen

    def _commit(self, source: Source, position: bytes) -> None:
        """Let a source forget what is durable; where the state is not on a disk, nothing is until it is kept."""
        if self.config.state.on_disk:
            source.commit(position)
        else:
            self._unkept[source.name] = (source, position)

    def let_go(self) -> None:
        """Let sources forget and destinations have what is kept, where both had to wait for it."""
        for source, position in self._unkept.values():
            source.commit(position)
        self._unkept.clear()
        if not self.config.state.on_disk:
            self.deliveries.start()

    def _open_source(self, source: SourceConfig, engine: LocalEngine, references: Mapping[str, References]) -> Source:
        opened = source.open(decode_plan(self.config, references, source.role))
        self._opened.callback(opened.close)
        position = engine.position(opened.name)
        if position is not None:
            opened.restore(position)
        return opened


@contextmanager
def open_pipeline(config: Config, *, until: int | None = None, clock: Clock | None = None) -> Iterator[Pipeline]:
    """Open the state, the references, the sources and the sinks of a configuration.

    A model that cannot run is among the pipeline's problems, and holds up no other.

    Raises:
        StateError: the state is in use, or not usable at all.
        MlvitalsError: a source or a sink cannot be opened.

    """
    clock = clock or (SystemClock() if until is None else FixedClock(until))
    with open_outgoing(config, MIGRATIONS) as outgoing, closing(Pipeline(config, outgoing, clock, until)) as pipeline:
        yield pipeline


class Outlet:
    """Renders what a transaction emits and puts it into the outbox of every destination, in that transaction."""

    def __init__(
        self, config: Config, service_of_model: Callable[[str], Service], outgoing: Outgoing, *, gate: Gate
    ) -> None:
        self._level = Export(config.budget.export)
        self._specs = config.signals.specs
        self._service = cache(service_of_model)
        self._outgoing = outgoing
        self._gate = gate

    def __call__(self, connection: sqlite3.Connection, emissions: Sequence[Emission | Change | Happening]) -> None:
        """Enqueue emissions; the connection's transaction holds them."""
        points: list[MetricPoint] = []
        logs: list[LogRecord] = []
        for emission in emissions:
            if isinstance(emission, Change):
                logs.append(change_record(**emission._asdict(), service=self._service(emission.model)))
                continue
            if isinstance(emission, Happening):
                logs.append(page_record(emission, self._service(emission.model)))
                continue
            rendered = render(
                emission.measurements,
                stamp=emission.stamp,
                start=emission.start,
                level=self._level,
                specs=self._specs,
                service=self._service(emission.model),
                revised=emission.revised,
            )
            points += self._admitted(connection, emission, rendered[0])
            logs += rendered[1]
        # A queue ages in real time, whatever time the events tell.
        now = self._outgoing.steady.now()
        for sink in self._outgoing.sinks:
            self._outgoing.outbox.enqueue(sink.name, sink.encode(points, logs), now)

    @property
    def sends_points(self) -> bool:
        """Whether any destination takes points at all."""
        return any(METRICS in sink.routes for sink in self._outgoing.sinks)

    def _admitted(
        self, connection: sqlite3.Connection, emission: Emission, points: list[MetricPoint]
    ) -> list[MetricPoint]:
        """Return the points of a window that the budget lets pass (law 10)."""
        if not points or not self.sends_points:
            return points
        first = emission.measurements[0]
        window = Window(
            model=emission.model,
            version=first.model_version,
            maturity=first.attributes.get("maturity", ""),
            start=emission.start,
            end=parse_time(first.window_end),
        )
        return self._gate(connection, window, points)


def decode_plan(config: Config, references: Mapping[str, References], role: str) -> DecodePlan:
    """Return what has to be decoded: the union of what the models look at."""
    remembering = [model.labels is not None or model.deduplicate for model in config.models]
    remembering += [bool(pattern.written.get("deduplicate")) for pattern in config.patterns if pattern.fault is None]
    remembering += [fault.remembers for fault in config.faults]
    alone = len(config.models) == 1 and not config.patterns and not config.faults
    return DecodePlan(
        features=_wanted(config, references),
        ids=any(remembering),
        model=config.models[0].name if alone else None,
        predictions=role != "labels",
        labels=role != "predictions",
        probabilities=_wants(config, references, attrgetter("may_read_probabilities")),
        rankings=_wants(config, references, attrgetter("may_read_rankings")),
    )


def _wants(config: Config, references: Mapping[str, References], looks: Callable[[References], bool]) -> bool:
    """Tell whether something is looked at, or may be: by models that learn, wait or are yet to come."""
    if config.patterns or config.faults:
        return True
    known = [references.get(model.name) for model in config.models]
    return any(one is None or looks(one) for one in known)


def _wanted(config: Config, references: Mapping[str, References]) -> dict[str, Want] | None:
    """Return the features that are looked at, None for all: of models that learn, wait or are yet to come."""
    if config.patterns or config.faults:
        return None
    wanted: dict[str, Want] = {}
    for model in config.models:
        known = references.get(model.name)
        layout = None if known is None else known.layout("")
        if layout is None:
            return None
        for feature in layout.features:
            spelled = [old for old, new in model.features.aliases.items() if new == feature.name]
            for name in (feature.name, *spelled):
                want = Want.NUMBER if feature.holds_numbers else Want.TEXT
                wanted[name] = want if wanted.get(name, want) is want else Want.TEXT
        if layout.amount is not None and layout.amount.startswith(wire.FEATURE_PREFIX):
            amount = layout.amount.removeprefix(wire.FEATURE_PREFIX)
            for name in (amount, *(old for old, new in model.features.aliases.items() if new == amount)):
                wanted.setdefault(name, Want.NUMBER)
        wanted |= {name.removeprefix(wire.FEATURE_PREFIX): Want.TEXT for name in model.segments}
    return wanted or None
