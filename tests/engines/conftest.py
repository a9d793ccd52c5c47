"""An engine over a temporary state, fed with native events as a source would feed it."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from mlvitals import wire
from mlvitals.clock import DAY, HOUR, FixedClock, format_time, parse_time
from mlvitals.config import (
    DecisionsConfig,
    Duration,
    LabelsConfig,
    ModelConfig,
    OperatingConfig,
    SizeText,
    WindowsConfig,
)
from mlvitals.decisions.episode import Happening
from mlvitals.decisions.episode_tables import MIGRATIONS as EPISODES
from mlvitals.decisions.tables import MIGRATIONS as DECISIONS
from mlvitals.engines import tables as engine_tables
from mlvitals.engines.account import Account, read_account, read_held
from mlvitals.engines.changes import Change
from mlvitals.engines.closing import Told
from mlvitals.engines.deciding import Deciding
from mlvitals.engines.judging import Emission, Judge
from mlvitals.engines.layouts import References, choice_of
from mlvitals.engines.local import Emit, LocalEngine
from mlvitals.engines.model import ModelRun
from mlvitals.engines.page_budget import PageBudget
from mlvitals.engines.pricing import terms_of
from mlvitals.engines.roster import MIGRATIONS as ROSTER
from mlvitals.engines.roster import Member
from mlvitals.events import EventBatch, RawBatch
from mlvitals.formats import DecodePlan, MlvitalsFormat
from mlvitals.hashing import KeyedHash
from mlvitals.signals.measurement import Measurement
from mlvitals.state import Store
from mlvitals.windows import tables as window_tables
from mlvitals.windows.cohorts import Cohort, CohortKey, Cohorts
from mlvitals.windows.reference import Reference, decode_reference
from mlvitals.windows.taking import take_reference
from tests.remembered import read_remembered

EPOCH = 20_000 * DAY
FAR = EPOCH + 400 * DAY

Event = Mapping[str, Any]
Batch = tuple[str, Sequence[Event]]


def decode(events: Sequence[Event], position: bytes = b"") -> EventBatch:
    """Return events as a native source decodes them."""
    lines = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    plan = DecodePlan(ids=True, model="m")
    return MlvitalsFormat().open(plan).decode(RawBatch(data=lines, place="test", position=position))


def prediction(one: str, time: int, **more: Any) -> Event:
    event: dict[str, Any] = {"event": "prediction", "timestamp": format_time(time), "model": "m", "model_version": "1"}
    event |= {"prediction_id": one, "features": {"x": 1.0, "c": "a"}, "prediction": {"label": "1", "score": 0.7}}
    return event | more


def label(one: str, time: int, value: Any = 1, **more: Any) -> Event:
    return {"event": "label", "timestamp": format_time(time), "model": "m", "prediction_id": one, "label": value} | more


def make_config(**changes: Any) -> ModelConfig:
    """Windows of one hour, ten minutes of lateness, maturities of 1 h, 6 h and 2 d, a horizon of 3 d."""
    config = ModelConfig(
        name="m",
        operating=OperatingConfig(path=Path("unused")),
        windows=WindowsConfig(size=SizeText("1h"), lateness=Duration("10m"), idle=Duration("5m")),
        labels=LabelsConfig(
            maturities=(Duration("1h"), Duration("6h"), Duration("2d")), delay=Duration("1h"), horizon=Duration("3d")
        ),
        deduplicate=True,
    )
    return msgspec.structs.replace(config, **changes)


def reference_rows(task: str = "binary", *, rows: int = 400, seed: int = 1) -> pa.RecordBatch:
    """Return rows as a reference is taken from: features x, c and channel, an output of the task, and the truth."""
    random = np.random.default_rng(seed)
    scores = np.round(random.random(rows), 3)
    columns = {
        wire.TIMESTAMP: pa.array(EPOCH - rows * HOUR + np.arange(rows) * HOUR).cast(pa.timestamp("us", tz="UTC")),
        "features.x": random.normal(size=rows),
        "features.c": random.choice(["a", "b", "c"], rows),
        "features.channel": random.choice(["web", "app"], rows),
    }
    if task == "regression":
        columns |= {wire.PREDICTION_VALUE: scores * 100, wire.LABEL: scores * 100 + random.normal(size=rows)}
    elif task == "multiclass":
        columns |= {wire.PREDICTION_LABEL: random.choice(["cat", "dog", "owl"], rows), wire.PREDICTION_SCORE: scores}
    elif task == "distribution":
        shares = random.dirichlet([2, 1, 1], rows)
        columns |= {
            wire.PROBABILITY_PREFIX + name: shares[:, place] for place, name in enumerate(["cat", "dog", "owl"])
        }
        columns |= {wire.LABEL: random.choice(["cat", "dog", "owl"], rows)}
    else:
        columns |= {wire.PREDICTION_SCORE: scores, wire.PREDICTION_LABEL: (scores >= 0.5).astype(int)}
        columns |= {wire.LABEL: (random.random(rows) < scores).astype(int)}
    return pa.RecordBatch.from_pydict(columns)


def make_reference(config: ModelConfig, task: str = "binary", *, version: str = "", seed: int = 1) -> Reference:
    return take_reference(
        choice_of(config),
        lambda: iter([reference_rows(task, seed=seed)]),
        model=config.name,
        version=version,
        size=config.windows.size.window,
        complete=True,
        provenance={},
    )


_KNOWN: dict[str, Reference] = {}


def known_reference(config: ModelConfig, task: str) -> Reference:
    key = f"{task} {config!r}"
    if key not in _KNOWN:
        _KNOWN[key] = make_reference(config, task)
    return _KNOWN[key]


@dataclass
class Bench:
    """A state that engines come and go over; `emissions` and `changes` are what all of them emitted, in order.

    task: of the operating reference. others: further models, with references of their own. broken: why some of these
    cannot run.
    """

    start = EPOCH
    far = FAR
    decode = staticmethod(decode)
    prediction = staticmethod(prediction)
    label = staticmethod(label)
    make_config = staticmethod(make_config)
    make_reference = staticmethod(make_reference)

    path: Path
    config: ModelConfig = field(default_factory=make_config)
    task: str = "binary"
    training: Mapping[str, Reference] = field(default_factory=dict)
    decisions: DecisionsConfig = field(default_factory=DecisionsConfig)
    others: tuple[ModelConfig, ...] = ()
    broken: dict[str, str] = field(default_factory=dict)
    emissions: list[Emission] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    clock: FixedClock = field(default_factory=lambda: FixedClock(FAR))
    runs: dict[str, ModelRun] = field(default_factory=dict)

    def open(
        self,
        *,
        now: int = FAR,
        until: int | None = None,
        emit: Emit | None = None,
    ) -> tuple[Store, LocalEngine]:
        """Open the state and an engine over it, as the composition root does; `emit` stands in for the bench's own."""
        store = Store.open(self.path, (window_tables.MIGRATIONS, engine_tables.MIGRATIONS, ROSTER, DECISIONS, EPISODES))
        try:
            return store, self._engine(store, now, until, emit or self.collect)
        except BaseException:
            store.close()
            raise

    def _engine(self, store: Store, now: int, until: int | None, emit: Emit) -> LocalEngine:
        self.clock = FixedClock(now if until is None else until)
        account = Account()
        key = KeyedHash(b"k" * 32)
        members: dict[str, Member] = {}
        pages = PageBudget(self.decisions, 2)
        for config in (self.config, *self.others):
            pages.join(config, (), ())
            if config.name in self.broken:
                continue
            references = self._references(store, config)
            run = ModelRun(store.connection, config, references, key, account)
            judge = Judge(
                model=config.name,
                environment="test",
                references=references,
                metrics=frozenset(config.performance.metrics),
                sensitive=frozenset(config.features.sensitive),
                decisions=self.decisions,
                costs=terms_of(config),
            )
            members[config.name] = Member(run, judge, Deciding(run, pages))
        self.runs = {name: member.run for name, member in members.items()}
        engine = LocalEngine(
            store, account, emit, self.clock, key=key, members=members, faults=self.broken, until=until
        )
        engine.begin()
        return engine

    def _references(self, store: Store, config: ModelConfig) -> References:
        first = config.operating is not None and config.operating.first is not None
        operating = None if first or config.operating is None else known_reference(config, self.task)
        references = References(choice_of(config), operating=operating, training=self.training)
        row = store.connection.execute("SELECT reference FROM learnt WHERE model = ?", (config.name,)).fetchone()
        if row is not None:
            references.learn(decode_reference(row[0], "learnt"))
        return references

    def collect(self, connection: sqlite3.Connection, emissions: Sequence[Told | Change]) -> None:
        assert connection.in_transaction
        for one in emissions:
            if isinstance(one, Change):
                self.changes.append(one)
            elif isinstance(one, Happening):
                self.happenings.append(one)
            else:
                self.emissions.append(one)

    def feed(
        self,
        batches: Sequence[Batch],
        *,
        until: int | None = None,
        now: int = FAR,
        finish: bool = True,
    ) -> None:
        """Open an engine, give it batches by source, close and settle what is due, and close the state."""
        store, engine = self.open(now=now, until=until)
        with store:
            for source, events in batches:
                engine.process(source, decode(events))
            if finish:
                engine.advance_when_all_is_read()

    def account(self) -> dict[tuple[str, str], int]:
        """Rows by kind of event and disposition, over all sources and models."""
        with Store.open_read_only(self.path) as store:
            total: dict[tuple[str, str], int] = {}
            for key, rows in read_account(store.connection).items():
                total[key.event, key.disposition] = total.get((key.event, key.disposition), 0) + rows
            for (_, event), rows in read_held(store.connection).items():
                total[event, "held"] = total.get((event, "held"), 0) + rows
            return {key: rows for key, rows in total.items() if rows}

    def rows(self, *tables: str) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of tables of the state, in order."""
        with Store.open_read_only(self.path) as store:
            remembered = read_remembered(store.connection)
            return {
                table: remembered[table]
                if table in remembered
                else sorted(store.connection.execute(f"SELECT * FROM {table}"), key=repr)
                for table in tables
            }

    def cells(self) -> list[tuple[Any, ...]]:
        """Every cohort's key, layout and counts, to the bit."""
        query = "SELECT model, start, version, segment, layout, served, outcomes FROM cohort ORDER BY 1, 2, 3, 4"
        with Store.open_read_only(self.path) as store:
            return store.connection.execute(query).fetchall()

    def cohorts(self) -> dict[CohortKey, Cohort]:
        """The model's cohorts by their key, in order."""
        labels = self.config.labels
        ages = () if labels is None else [maturity.microseconds for maturity in labels.maturities]
        with Store.open_read_only(self.path) as store:
            known = Cohorts(store.connection, self.config.name, ages)
            query = "SELECT start, version, segment FROM cohort WHERE model = ? ORDER BY 1, 2, 3"
            keys = [CohortKey(*row) for row in store.connection.execute(query, (self.config.name,))]
            return {key: cohort for key in keys if (cohort := known.get(key)) is not None}

    def latest(self) -> dict[tuple[str, ...], Measurement]:
        """The newest revision of every measurement, its revision taken off."""
        newest: dict[tuple[str, ...], Measurement] = {}
        for emission in self.emissions:
            for one in emission.measurements:
                known = newest.get(one.identity)
                assert known is None or known.revision < one.revision, "measured twice at one revision"
                newest[one.identity] = one
        return {identity: msgspec.structs.replace(one, revision=0) for identity, one in newest.items()}

    def value(self, signal: str, start: int = EPOCH, *, version: str = "1", **attributes: str) -> float | None:
        """The newest value of a signal of one window, None where there is none; its name goes without `mlvitals.`."""
        for one in self.latest().values():
            about = (one.signal, one.model, one.window_start, one.model_version, dict(one.attributes))
            if about == (f"mlvitals.{signal}", self.config.name, format_time(start), version, attributes):
                return one.value
        return None

    def windows(self) -> list[int]:
        """The starts of the closed windows in which anything was served, in order."""
        counts = [one for one in self.latest().values() if one.signal == "mlvitals.prediction.count" and one.value]
        return sorted({parse_time(one.window_start) for one in counts})


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "state.db")


@pytest.fixture
def make_bench(tmp_path: Path) -> Callable[..., Bench]:
    """Make benches over fresh states, as many as a property needs."""
    numbers = count()

    def make(**changes: Any) -> Bench:
        return Bench(tmp_path / f"state-{next(numbers)}.db", **changes)

    return make
