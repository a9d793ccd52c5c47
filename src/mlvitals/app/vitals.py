"""What the pipeline tells of itself: read from the state, so that every destination hears the same numbers once."""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from mlvitals.app.admission import discovered, models_of
from mlvitals.app.outgoing import Outgoing
from mlvitals.clock import SECOND, Clock, SystemClock
from mlvitals.config import Config
from mlvitals.decisions.episode import Episode
from mlvitals.decisions.episode_rows import open_episodes
from mlvitals.decisions.paging_rate import page_counts
from mlvitals.decisions.words import Word, drills
from mlvitals.delivery import QueueStatus, queue_statuses
from mlvitals.engines.account import orphan_ratios, read_held, read_totals
from mlvitals.engines.model import Progress
from mlvitals.signals import running
from mlvitals.signals.spec import Instrument, MetricSpec
from mlvitals.state import Migrations, Store
from mlvitals.telemetry import MetricPoint, dropped_series
from mlvitals.telemetry.pages import costs
from mlvitals.windows.window import WindowSize

# Totals begin when the state is made; each time that the job tells of itself is one beat.
MIGRATIONS: Final = Migrations(
    owner="vitals",
    steps=(
        (
            """
            CREATE TABLE vitals (
                only INTEGER PRIMARY KEY CHECK (only = 0),
                started INTEGER NOT NULL,
                beats INTEGER NOT NULL
            ) STRICT
            """,
            "INSERT INTO vitals VALUES (0, CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER), 0)",
        ),
    ),
)

STATES: Final = {"taken": 0.0, "retried": 1.0, "held": 2.0}
_METRICS: Final = "metrics"
_NOBODY: Final = "nobody"
_ALL_OF_IT: Final = "as a whole"
_NO_PRICE: Final = "what it costs is not known"
_OF_DRILL: Final = {"subject": "nothing", "costs": "this is a drill, nobody needs to act"}
_LEAST_AGE: Final = 1.0  # seconds, of what pages: events may be ahead of the clock, and 0 says that all is well


@dataclass(slots=True)
class Pulse:
    """What the loop leaves for those who watch it, each time round; they look at it from other threads.

    turned: when it last read a batch or asked for one, by the monotonic clock in seconds. ready: it came round once.
    unread: what sources cannot read; broken: models that cannot run and parts of the configuration that cannot be used,
    a line each. sources, models: how many that are. closing: seconds, as `pipeline.window.duration`.
    """

    turned: float = field(default_factory=time.monotonic)
    ready: bool = False
    unread: Sequence[str] = ()
    broken: Sequence[str] = ()
    sources: int = 0
    models: int = 0
    closing: float | None = None

    @property
    def age(self) -> float:
        """Seconds since the loop turned."""
        return max(time.monotonic() - self.turned, 0.0)


@dataclass(slots=True)
class Gauges:
    """Reads all that is told of the job; may be asked in any thread, over a store of its own."""

    config: Config
    pulse: Pulse
    steady: Clock  # by which queues age
    _sizes: dict[str, WindowSize | None] = field(default_factory=dict)

    def read(self, store: Store, now: int) -> list[MetricPoint]:
        """Return the points as of now (microseconds since the epoch), in the order of the registry.

        Totals begin when the state was made; the others hold since the last time that they were told.
        """
        with store.moment() as connection:
            (started,) = connection.execute("SELECT started FROM vitals").fetchone()
            found = [(spec, list(values)) for spec, values in self._values(store, now)]
        environment = {"environment": self.config.service.environment}
        since = now - self.config.telemetry.interval.microseconds
        return [
            MetricPoint(
                name=spec.name,
                unit=spec.unit,
                value=value,
                time=now,
                start=min(started, now) if spec.instrument is Instrument.COUNTER else since,
                attributes=environment | dict(attributes),
            )
            for spec, values in found
            for value, attributes in values
        ]

    def _values(self, store: Store, now: int) -> Iterator[tuple[MetricSpec, Iterable[tuple[float, Mapping[str, str]]]]]:
        connection, pulse = store.connection, self.pulse
        (beats,) = connection.execute("SELECT beats FROM vitals").fetchone()
        # One that is configured no more is forgotten, but for what still waits for it: a person must see to that.
        mine = {sink.name for sink in self.config.sinks}
        queues = [queue for queue in queue_statuses(store) if queue.destination in mine or queue.requests]

        def single(value: float) -> list[tuple[float, Mapping[str, str]]]:
            return [(float(value), {})]

        yield running.PIPELINE_HEARTBEAT, single(beats)
        yield running.PIPELINE_LOOP_AGE, single(pulse.age)
        totals = read_totals(connection).items()
        yield running.PIPELINE_EVENTS, [(float(rows), {"outcome": outcome.value}) for outcome, rows in totals]
        yield running.PIPELINE_HELD, single(sum(read_held(connection).values()))
        yield running.PIPELINE_SOURCE_FAULTS, single(pulse.sources)
        yield running.PIPELINE_MODEL_FAULTS, single(pulse.models)
        yield running.PIPELINE_WINDOW_AGE, self._window_ages(connection, now)
        if pulse.closing is not None:
            yield running.PIPELINE_WINDOW_DURATION, single(pulse.closing)
        yield running.PIPELINE_SERIES_DROPPED, single(sum(dropped_series(connection).values()))
        yield from _of_destinations(queues, self.steady.now())
        yield running.DECISION_PAGE_AGE, self._page_ages(connection, now)
        counts = page_counts(connection).items()
        yield running.DECISION_PAGE_COUNT, [(float(pages), {"verdict": verdict}) for verdict, pages in counts]
        orphans = orphan_ratios(connection).items()
        yield running.LABEL_ORPHAN_RATIO, [(ratio, {"model": model}) for model, ratio in orphans]

    def _window_ages(self, connection: sqlite3.Connection, now: int) -> list[tuple[float, Mapping[str, str]]]:
        """Return how long ago each model's newest closed window ended; of one that closed none yet, nothing."""
        ages: list[tuple[float, Mapping[str, str]]] = []
        for model, document in connection.execute("SELECT model, document FROM progress ORDER BY model"):
            closed = msgspec.json.decode(document, type=Progress).closed
            size = self._size(connection, model)
            if closed is not None and size is not None:
                ages.append(((now - size.start(closed)) / SECOND, {"model": model}))
        return ages

    def _page_ages(self, connection: sqlite3.Connection, now: int) -> list[tuple[float, Mapping[str, str]]]:
        """Return for how long what pages has lasted, and a 0 for every model: a person is to see that it is over.

        A drill pages as an incident does.
        """
        owners = {one.name: one.owner for one in models_of(self.config, discovered(connection))}
        ages: list[tuple[float, Mapping[str, str]]] = [(0.0, {"model": name}) for name in owners]
        episodes = [one for one in open_episodes(connection) if not one.silenced]
        paging = [(word.time, _told_of_drill(word, owners.get(word.model))) for word in drills(connection, now)[-1:]]
        paging += [(one.since, _told_of_page(one, owners.get(one.model))) for one in episodes]
        for since, told in paging[: running.PAGES_TOLD]:
            age = max((now - since) / SECOND, _LEAST_AGE)
            ages.append((age, told))
        return ages

    def _size(self, connection: sqlite3.Connection, model: str) -> WindowSize | None:
        if model not in self._sizes:
            for one in models_of(self.config, discovered(connection)):
                self._sizes[one.name] = one.windows.size.window
            self._sizes.setdefault(model, None)  # it is configured no more
        return self._sizes[model]


def _told_of_page(episode: Episode, owner: str | None) -> Mapping[str, str]:
    """Return what an incident is told with: words where there is nothing to name.

    Datadog overlooks a series without a tag by which a monitor tells alerts apart.
    """
    source = episode.lead.finding.source
    return {
        "model": episode.model,
        "owner": owner or _NOBODY,
        "detector": source.detector.value,
        "subject": source.subject or _ALL_OF_IT,
        "costs": _NO_PRICE if episode.harm is None else costs(episode.harm),
    }


def _told_of_drill(word: Word, owner: str | None) -> Mapping[str, str]:
    return {"model": word.model, "owner": owner or _NOBODY, "detector": word.kind.value, **_OF_DRILL}


def _of_destinations(
    queues: Sequence[QueueStatus], now: int
) -> Iterator[tuple[MetricSpec, list[tuple[float, Mapping[str, str]]]]]:
    def each(value: Mapping[str, float]) -> list[tuple[float, Mapping[str, str]]]:
        return [(float(one), {"destination": destination}) for destination, one in value.items()]

    yield (
        running.PIPELINE_ITEMS,
        [
            (float(items), {"destination": queue.destination, "fate": fate.value})
            for queue in queues
            for fate, items in queue.totals.items()
        ],
    )
    yield running.PIPELINE_OUTBOX_SIZE, each({queue.destination: queue.requests for queue in queues})
    yield running.PIPELINE_OUTBOX_VOLUME, each({queue.destination: queue.size for queue in queues})
    ages = {queue.destination: 0 if queue.oldest is None else max(now - queue.oldest, 0) for queue in queues}
    yield running.PIPELINE_OUTBOX_AGE, each({destination: age / SECOND for destination, age in ages.items()})
    yield running.PIPELINE_OUTBOX_STATUS, each({queue.destination: STATES[state_of(queue)] for queue in queues})
    yield running.PIPELINE_DEAD_LETTERS, each({queue.destination: queue.letters for queue in queues})


def state_of(queue: QueueStatus) -> str:
    """Return how a destination stands, a word of `STATES`."""
    return "held" if queue.held else "retried" if queue.since is not None else "taken"


@dataclass(slots=True)
class Vitals:
    """Tells what the job has to say of itself to every destination; called by the thread that runs the loop."""

    outgoing: Outgoing
    gauges: Gauges
    clock: Clock = field(default_factory=SystemClock)
    latest: Sequence[MetricPoint] = ()
    _due: int = 0

    def tell_if_due(self) -> None:
        """Tell of the job if it has not for as long as is configured; the first time at once."""
        now = self.outgoing.steady.now()
        if now >= self._due:
            self._due = now + self.gauges.config.telemetry.interval.microseconds
            self.tell()

    def tell(self) -> None:
        """Count a beat and enqueue all points for every destination, in one transaction.

        A destination that takes nothing is not told while anything waits for it: what it is told once it is well holds
        all that has been counted, and what it was not told is no loss, while windows that it pushed out would be one.
        """
        store = self.outgoing.store
        self.latest = self.gauges.read(store, self.clock.now())  # for the other way, even if the disk is full
        with store.transaction():
            points = self._count()
            self._enqueue(points)
        self.latest = points

    def tell_what_is_kept(self, keep: Callable[[], None]) -> None:
        """Tell once as `tell` does, but nothing before `keep` has kept the state of which it is told.

        Where the state is kept elsewhere, a run that is killed is followed by one that knows what was kept and no more:
        a total that was told of more would then fall.
        """
        points = self._count()
        keep()
        self._enqueue(points)

    def _count(self) -> list[MetricPoint]:
        with self.outgoing.store.transaction() as connection:
            connection.execute("UPDATE vitals SET beats = beats + 1")
            return self.gauges.read(self.outgoing.store, self.clock.now())

    def _enqueue(self, points: Sequence[MetricPoint]) -> None:
        outgoing = self.outgoing
        with outgoing.store.transaction():
            deaf = {queue.destination for queue in queue_statuses(outgoing.store) if _is_deaf(queue)}
            for sink in outgoing.sinks:
                if sink.name not in deaf:
                    outgoing.outbox.enqueue(sink.name, sink.encode(points, []), outgoing.steady.now())


def _is_deaf(queue: QueueStatus) -> bool:
    return any(lane.route == _METRICS and lane.since is not None and lane.requests for lane in queue.lanes)
