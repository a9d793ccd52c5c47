import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from mlvitals.clock import SECOND, FixedClock
from mlvitals.delivery import MIGRATIONS, Outbox, Outcome, Request, Sender, Verdict, queue_statuses
from mlvitals.state import Store
from mlvitals.telemetry import LogRecord, MetricPoint

NOON = 1_700_000_000 * SECOND


class Crash(BaseException):
    """The process dies here."""


@dataclass
class Destination:
    """A destination in memory: a body is a JSON array of numbers, `answer` says what becomes of each request."""

    answer: Callable[[list[int]], Outcome] = lambda _: Outcome(verdict=Verdict.OK)
    name: str = "there"
    routes: tuple[str, ...] = ("metrics",)
    sent: list[bytes] = field(default_factory=list)

    def request(self, *numbers: int, route: str = "metrics") -> Request:
        body = json.dumps(numbers).encode()
        return Request(route=route, body=body, items=len(numbers), first=min(numbers), last=max(numbers))

    def encode(self, points: Sequence[MetricPoint], logs: Sequence[LogRecord]) -> list[Request]:
        del logs
        return [self.request(int(point.value)) for point in points]

    def split(self, request: Request) -> list[Request]:
        numbers = json.loads(request.body)
        middle = len(numbers) // 2
        return [self.request(*numbers[:middle]), self.request(*numbers[middle:])] if middle else []

    @property
    def renewal(self) -> None:
        return None

    def send(self, request: Request) -> Outcome:
        self.sent.append(request.body)
        return self.answer(json.loads(request.body))

    def probe(self) -> Outcome:
        return Outcome(verdict=Verdict.OK)

    def close(self) -> None:
        pass


@dataclass
class Bench:
    """A store, an outbox, one destination and a sender whose waiting moves the clock."""

    store: Store
    destination: Destination
    clock: FixedClock
    outbox: Outbox
    sender: Sender
    waits: list[float]

    def enqueue(self, *requests: Sequence[int], route: str = "metrics") -> None:
        made = [self.destination.request(*numbers, route=route) for numbers in requests]
        self.outbox.enqueue(self.destination.name, made, self.clock.now())

    def answers(self, *outcomes: Outcome | Verdict) -> None:
        """Give these answers in turn, then `ok`."""
        script = [outcome if isinstance(outcome, Outcome) else Outcome(verdict=outcome) for outcome in outcomes]

        def answer(_):
            return script.pop(0) if script else Outcome(verdict=Verdict.OK)

        self.destination.answer = answer

    def status(self):
        (status,) = queue_statuses(self.store)
        return status


@pytest.fixture
def bench(tmp_path):
    store = Store.open(tmp_path / "state.db", [MIGRATIONS])
    clock = FixedClock(NOON)
    waits: list[float] = []

    def wait(seconds):
        waits.append(seconds)
        clock.moment += round(seconds * SECOND)

    destination = Destination()
    outbox = Outbox(store)
    sender = Sender(outbox=outbox, sink=destination, clock=clock, wait=wait, jitter=lambda: 1.0)
    yield Bench(store, destination, clock, outbox, sender, waits)
    store.close()


@pytest.fixture
def crash():
    return Crash


@pytest.fixture(scope="session")
def fakes():
    return Destination, Crash
