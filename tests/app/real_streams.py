"""Real event sets as streams that a whole job is run over: cut, with their planted outages, or permuted."""

import gzip
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from mlvitals.app.run import run_once
from mlvitals.clock import WEEK, format_time, parse_time
from mlvitals.config import load
from mlvitals.decisions.episode import Episode
from mlvitals.decisions.episode_rows import read_episodes
from mlvitals.setup.reference import build_reference
from mlvitals.windows.reference import write_reference

Event = dict[str, Any]

PAGES_PER_WEEK: Final = 0.5  # the default of `decisions`
_HALF_YEAR: Final = 26 * WEEK
_PERMUTED: Final = "permuted"  # the model of permuted rows: no model said what is at their times


class Slot(NamedTuple):
    """When something was predicted, and how much later its label came; None where it never did."""

    time: int
    delay: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What a job is run over. reference: a file of rows. until: when the job stands still."""

    model: str
    size: str
    maturities: Sequence[str]
    reference: Path
    events: Sequence[Event]
    labels: Sequence[Event]
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Paged:
    """What came of a run: its episodes, each of which is one page, in their order; weeks: that were watched."""

    episodes: Sequence[Episode]
    weeks: float

    @property
    def rate(self) -> float:
        """Pages a week."""
        return len(self.episodes) / self.weeks


@dataclass(frozen=True, slots=True, kw_only=True)
class RealSet:
    """One of the shared event sets, read once."""

    folder: Path
    size: str
    maturities: Sequence[str]

    def events(self, *, planted: bool = False) -> Iterator[Event]:
        """Yield the predictions in order, with what is planted in place of what it replaces."""
        instead: Mapping[str, Event] = {}
        if planted:
            instead = {one["prediction_id"]: one for one in read_lines(self.folder / "events_planted.jsonl.gz")}
        for one in read_lines(self.folder / "events.jsonl.gz"):
            yield instead.get(one["prediction_id"], one)

    def labels(self) -> Iterator[Event]:
        """Yield the labels in order."""
        return read_lines(self.folder / "labels.jsonl.gz")

    def served(self, since: str, until: str, *, planted: bool = False) -> Served:
        """Return what was predicted from one time to another, and its labels, beside the set's own reference."""
        events = [one for one in self.events(planted=planted) if since <= one["timestamp"] < until]
        ids = {one["prediction_id"] for one in events}
        labels = [one for one in self.labels() if one["prediction_id"] in ids]
        return self._served(self.folder / "reference.parquet", events, labels, parse_time(f"{until}T00:00:00Z"))

    def after_its_head(self, folder: Path, head: str, until: str) -> Served:
        """Return what was predicted from a time on, beside a reference of all that was predicted before it."""
        events = [*self.events()]
        before = {one["prediction_id"] for one in events if one["timestamp"] < head}
        labels = [*self.labels()]
        rows = [one for one in events if one["prediction_id"] in before]
        rows += [one for one in labels if one["prediction_id"] in before]
        reference = write_lines(folder / "head.jsonl", rows)
        events = [one for one in events if head <= one["timestamp"] < until]
        labels = [one for one in labels if one["prediction_id"] not in before]
        return self._served(reference, events, labels, parse_time(f"{until}T00:00:00Z"))

    def permuted(self, folder: Path, seed: int, *, weeks: float | None = None) -> Served:
        """Return the set's reference and events, pooled, each row at the time of another: nothing moves in it.

        The first rows, as many as the reference had, are the reference. Times, volume and label delays stay as they
        were. weeks: that are served, all there are where nothing is said.
        """
        rows, slots = self._pooled()
        order = np.random.default_rng(seed).permutation(len(rows))
        head = pq.read_metadata(self.folder / "reference.parquet").num_rows
        end = slots[-1].time + 1 if weeks is None else slots[head].time + int(weeks * WEEK)
        made: list[tuple[list[Event], list[Event]]] = [([], []), ([], [])]
        for number, (slot, place) in enumerate(zip(slots, order.tolist(), strict=True)):
            if slot.time < end:
                about = {"model": _PERMUTED, "prediction_id": str(number)}
                for events, one in zip(made[number >= head], _placed(rows[place], slot, about), strict=False):
                    events.append(one)
        reference = write_lines(folder / "head.jsonl", [*made[0][0], *made[0][1]])
        return self._served(reference, *made[1], end)

    def _served(self, reference: Path, events: list[Event], labels: list[Event], until: int) -> Served:
        return Served(
            model=events[0]["model"],
            size=self.size,
            maturities=self.maturities,
            reference=reference,
            events=events,
            labels=labels,
            until=until,
        )

    def _pooled(self) -> tuple[list[Event], list[Slot]]:
        """Return all rows in the order of their times, and these."""
        table = pq.read_table(self.folder / "reference.parquet")
        names = [name for name in table.column_names if name.startswith("features.")]
        features = {name.removeprefix("features.") for name in names}
        rows, slots = [], []
        for row in table.to_pylist():
            about = {key: row[key] for key in row if key.startswith(("features.", "prediction."))}
            rows.append({**_nested(about), "label": row["label"]})
            time = int(row["timestamp"].timestamp() * 1_000_000)
            slots.append(Slot(time, 0))
        truth = {one["prediction_id"]: one for one in self.labels()}
        for event in self.events():
            label = truth.get(event["prediction_id"])
            kept = {name: value for name, value in event["features"].items() if name in features}
            answer = None if label is None else label["label"]
            rows.append({"features": kept, "prediction": event["prediction"], "label": answer})
            time = parse_time(event["timestamp"])
            slots.append(Slot(time, None if label is None else parse_time(label["timestamp"]) - time))
        return rows, slots


def _nested(row: Event) -> Event:
    found: Event = {}
    for name, value in row.items():
        outer, _, inner = name.partition(".")
        found.setdefault(outer, {})[inner] = value
    return found


def _placed(row: Event, slot: Slot, about: Event) -> Iterator[Event]:
    """Yield a row's prediction at a time, and its label if one came there and it has one."""
    event = {"event": "prediction", "timestamp": format_time(slot.time), **about, "model_version": "1"}
    yield {**event, "features": row["features"], "prediction": row["prediction"]}
    if slot.delay is not None and row["label"] is not None:
        yield {"event": "label", "timestamp": format_time(slot.time + slot.delay), **about, "label": row["label"]}


def read_lines(path: Path) -> Iterator[Event]:
    """Yield the rows of a file of JSON lines."""
    with gzip.open(path) as lines:
        for line in lines:
            yield json.loads(line)


def write_lines(path: Path, events: Iterable[Event]) -> Path:
    """Write events in order; return where."""
    path.write_text("".join(json.dumps(one) + "\n" for one in events), encoding="utf-8")
    return path


def run(folder: Path, served: Served) -> Paged:
    """Run the whole job over a stream, by the default budget, and return what paged."""
    sources = [
        {"type": "file", "role": role, "path": str(write_lines(folder / f"{role}.jsonl", rows))}
        for role, rows in (("predictions", served.events), ("labels", served.labels))
    ]
    model = {
        "name": served.model,
        "operating": {"path": "model.reference"},
        "windows": {"size": served.size, "lateness": "10m"},
        "labels": {"maturities": served.maturities},
    }
    document = {
        "models": [model],
        "sources": sources,
        "sinks": [{"type": "local"}],
        "state": {"path": "state.db"},
    }
    path = folder / "mlvitals.yaml"
    path.write_text(json.dumps(document), encoding="utf-8")
    config = load(path, {})
    built = build_reference(config.models[0], version=None, paths=[str(served.reference)], complete=False)
    write_reference(built.reference, folder / "model.reference")
    found: dict[str, Episode] = {}
    first = parse_time(served.events[0]["timestamp"])
    # What ended 400 days ago is forgotten: it is noted each half-year.
    for until in [*range(first + _HALF_YEAR, served.until, _HALF_YEAR), served.until]:
        assert run_once(config, until=until, progress=lambda _: None).delivered
        with closing(sqlite3.connect(folder / "state.db")) as connection:
            found |= {one.id: one for one in read_episodes(connection)}
            (since, last) = connection.execute("SELECT min(first), max(last) FROM observed").fetchone()
    return Paged(episodes=sorted(found.values(), key=lambda one: one.opened), weeks=(last - since) / WEEK)
