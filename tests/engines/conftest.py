"""An engine over a temporary state, fed with native events as a source would feed it."""

import json
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
from mlvitals.clock import DAY, HOUR, FixedClock, format_time
from mlvitals.config import Duration, LabelsConfig, ModelConfig, OperatingConfig, SizeText, WindowsConfig
from mlvitals.engines import tables as engine_tables
from mlvitals.engines.account import Account, read_account, read_held
from mlvitals.engines.judging import Emission, Judge
from mlvitals.engines.layouts import References, choice_of
from mlvitals.engines.local import LocalEngine
from mlvitals.engines.model import ModelRun
from mlvitals.events import EventBatch, RawBatch
from mlvitals.formats import DecodePlan, MlvitalsFormat
from mlvitals.hashing import KeyedHash
from mlvitals.signals.measurement import Measurement
from mlvitals.state import Store
from mlvitals.windows import tables as window_tables
from mlvitals.windows.reference import Reference, decode_reference
from mlvitals.windows.taking import take_reference

EPOCH = 20_000 * DAY
FAR = EPOCH + 400 * DAY

Event = Mapping[str, Any]


def decode(events: Sequence[Event], position: bytes = b"") -> EventBatch:
    """Return events as a native source decodes them."""
    lines = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    plan = DecodePlan(ids=True, model="m")
    return MlvitalsFormat().open(plan).decode(RawBatch(data=lines, place="test", position=position))


def prediction(one: str, time: int, **more: Any) -> Event:
    event = {"event": "prediction", "timestamp": format_time(time), "model": "m", "model_version": "1"}
    event |= {"prediction_id": one, "features": {"x": 1.0, "c": "a"}, "prediction": {"label": "1", "score": 0.7}}
    return event | more


def label(one: str, time: int, value: Any = 1, **more: Any) -> Event:
    return {"event": "label", "timestamp": format_time(time), "model": "m", "prediction_id": one, "label": value} | more


def make_config(**changes: Any) -> ModelConfig:
    config = ModelConfig(
        name="m",
        operating=OperatingConfig(path=Path("unused")),
        windows=WindowsConfig(size=SizeText("1h"), lateness=Duration("10m")),
        labels=LabelsConfig(
            maturities=(Duration("1h"), Duration("6h"), Duration("2d")), delay=Duration("1h"), horizon=Duration("3d")
        ),
        deduplicate=True,
    )
    return msgspec.structs.replace(config, **changes)


def make_reference(config: ModelConfig, *, version: str = "", rows: int = 400, seed: int = 1) -> Reference:
    random = np.random.default_rng(seed)
    scores = np.round(random.random(rows), 3)
    batch = pa.RecordBatch.from_pydict(
        {
            wire.TIMESTAMP: pa.array(EPOCH - rows * HOUR + np.arange(rows) * HOUR).cast(pa.timestamp("us", tz="UTC")),
            "features.x": random.normal(size=rows),
            "features.c": random.choice(["a", "b", "c"], rows),
            "features.channel": random.choice(["web", "app"], rows),
            wire.PREDICTION_SCORE: scores,
            wire.PREDICTION_LABEL: (scores >= 0.5).astype(int),
            wire.LABEL: (random.random(rows) < scores).astype(int),
        }
    )
    return take_reference(
        choice_of(config),
        lambda: iter([batch]),
        model="m",
        version=version,
        size=config.windows.size.window,
        complete=True,
        provenance={},
    )


_KNOWN: dict[str, Reference] = {}


def known_reference(config: ModelConfig) -> Reference:
    if repr(config) not in _KNOWN:
        _KNOWN[repr(config)] = make_reference(config)
    return _KNOWN[repr(config)]


@dataclass
class Bench:
    """A state that engines come and go over; `emissions` is what all of them emitted, in order."""

    start = EPOCH
    decode = staticmethod(decode)
    prediction = staticmethod(prediction)
    label = staticmethod(label)
    make_config = staticmethod(make_config)
    make_reference = staticmethod(make_reference)

    path: Path
    config: ModelConfig = field(default_factory=make_config)
    training: Mapping[str, Reference] = field(default_factory=dict)
    emissions: list[Emission] = field(default_factory=list)

    def __post_init__(self) -> None:
        first = self.config.operating is not None and self.config.operating.first is not None
        self.reference = None if first else known_reference(self.config)

    def open(self, *, now: int = FAR, until: int | None = None) -> tuple[Store, LocalEngine]:
        store = Store.open(self.path, (window_tables.MIGRATIONS, engine_tables.MIGRATIONS))
        references = References(choice_of(self.config), operating=self.reference, training=self.training)
        row = store.connection.execute("SELECT reference FROM learnt").fetchone()
        if row is not None:
            references.learn(decode_reference(row[0], "learnt"))
        account = Account()
        run = ModelRun(store.connection, self.config, references, KeyedHash(b"k" * 32), account)
        judge = Judge(model="m", environment="test", references=references, metrics=frozenset())
        clock = FixedClock(now if until is None else until)
        self.clock = clock
        engine = LocalEngine(
            store, {"m": run}, {"m": judge}, account, lambda _, emitted: self.emissions.extend(emitted), clock, until
        )
        engine.begin()
        return store, engine

    def feed(
        self, batches: Sequence[tuple[str, Sequence[Event]]], *, until: int | None = None, now: int = FAR, finish: bool = True
    ) -> None:
        """Open an engine, give it batches by source, close and settle what is due, and close the state."""
        store, engine = self.open(now=now, until=until)
        with store:
            for source, events in batches:
                engine.process(source, decode(events))
            if finish:
                engine.advance_when_all_is_read()

    def account(self) -> dict[tuple[str, str], int]:
        """Rows by kind of event and disposition, over all sources."""
        with Store.open_read_only(self.path) as store:
            total: dict[tuple[str, str], int] = {}
            for key, rows in read_account(store.connection).items():
                total[key.event, key.disposition] = total.get((key.event, key.disposition), 0) + rows
            for (_, event), rows in read_held(store.connection).items():
                total[event, "held"] = total.get((event, "held"), 0) + rows
            return total

    def latest(self) -> dict[tuple[str, ...], Measurement]:
        """The newest revision of every measurement, its revision taken off."""
        newest: dict[tuple[str, ...], Measurement] = {}
        for emission in self.emissions:
            for one in emission.measurements:
                known = newest.get(one.identity)
                assert known is None or known.revision < one.revision, "measured twice at one revision"
                newest[one.identity] = one
        return {identity: msgspec.structs.replace(one, revision=0) for identity, one in newest.items()}

    def value(self, signal: str, start: int, **attributes: str) -> float | None:
        for one in self.latest().values():
            if one.signal == signal and one.window_start == format_time(start) and dict(one.attributes) == attributes:
                return one.value
        return None


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
