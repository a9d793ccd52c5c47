"""Checking a configuration against the world, without touching it."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from mlvitals import delivery
from mlvitals.app.admission import references_of, service_of
from mlvitals.app.kept import keeping
from mlvitals.app.lateness import late_windows
from mlvitals.app.pipeline import decode_plan
from mlvitals.app.preview import preview
from mlvitals.app.untouched import connect_untouched
from mlvitals.config import Config, ModelConfig
from mlvitals.delivery import Verdict
from mlvitals.errors import MlvitalsError
from mlvitals.sinks import SinkContext
from mlvitals.sources import Source
from mlvitals.state import Store


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was looked at: whether it is good, and one line that says so."""

    good: bool
    text: str


def check_config(config: Config) -> Iterator[Checked]:
    """Yield what was found of references, sources, destinations and the state."""
    yield from (Checked(good=False, text=fault.message) for fault in config.faults)
    for model in config.models:
        yield _check_model(model)
    for pattern in config.patterns:
        if pattern.fault is None:
            yield Checked(good=True, text=f"models {pattern.match}: each that comes is let in under its own name")
    yield from _check_sources(config)
    yield from _check_sinks(config)
    yield _check_state(config)


def _check_model(model: ModelConfig) -> Checked:
    try:
        layout = references_of(model).layout("")
    except MlvitalsError as error:
        return Checked(good=False, text=str(error))
    if layout is None:
        return Checked(good=True, text=f"model {model.name}: its reference will be learnt from what is served first")
    told = f"{layout.output.task.value}, {len(layout.features)} features"
    return Checked(good=True, text=f"model {model.name}: {told}")


def _check_sources(config: Config) -> Iterator[Checked]:
    for source in config.sources:
        opened = source.open(decode_plan(config, {}, source.role))
        problems = opened.check()
        for problem in problems:
            yield Checked(good=False, text=f"source {opened.name}: {problem}")
        if not problems:
            yield Checked(good=True, text=f"source {opened.name}: readable")
            yield from _preview(opened)
        opened.close()


def _preview(source: Source) -> Iterator[Checked]:
    try:
        yield from (Checked(good=good, text=f"source {source.name}: {text}") for good, text in preview(source))
    except (OSError, MlvitalsError) as error:
        yield Checked(good=False, text=f"source {source.name}: {error}")


def _check_sinks(config: Config) -> Iterator[Checked]:
    with tempfile.TemporaryDirectory() as folder:
        # A sink may keep something in the state; what it says of itself must not need the real one.
        store = Store.open(Path(folder) / "check.db", (delivery.MIGRATIONS,))
        context = SinkContext(service=service_of(config), specs=config.signals.specs, store=store)
        for config_of_sink in config.sinks:
            try:
                sink = config_of_sink.open(context)
                outcome = sink.probe()
                sink.close()
            except MlvitalsError as error:
                yield Checked(good=False, text=f"sink {config_of_sink.name}: {error}")
                continue
            good = outcome.verdict is Verdict.OK
            said = outcome.reason or ("reachable" if good else outcome.verdict.value)
            yield Checked(good=good, text=f"sink {sink.name}: {said}")
            yield from (Checked(good=True, text=f"sink {sink.name}: {line}") for line in late_windows(config, sink))
        store.close()


def _check_state(config: Config) -> Checked:
    if not config.state.on_disk:
        return _check_kept(config)
    path = config.state.path
    if not path.exists():
        return Checked(good=True, text=f"state {path}: will be made")
    try:
        with closing(connect_untouched(path)) as connection:
            connection.execute("PRAGMA schema_version")
    except sqlite3.DatabaseError as error:
        return Checked(good=False, text=f"state {path}: not a usable state database: {error}")
    return Checked(good=True, text=f"state {path}: readable")


def _check_kept(config: Config) -> Checked:
    try:
        with keeping(config) as kept:
            if kept.snapshots is None:
                return Checked(good=True, text="state: is kept nowhere")
            said = "will be made" if kept.version is None else "readable"
            return Checked(good=True, text=f"state {kept.snapshots.place}: {said}")
    except MlvitalsError as error:
        return Checked(good=False, text=f"state {error}")
