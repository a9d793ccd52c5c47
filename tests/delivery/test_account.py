"""Law 3, 5 and 9: whatever is answered, and wherever the process dies, every item has one fate."""

import contextlib
import json
import tempfile
import threading
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from mlvitals.clock import HOUR, MINUTE, FixedClock
from mlvitals.delivery import MIGRATIONS, Bounds, Fate, Outbox, Outcome, Sender, Verdict, dead_letters, queue_statuses
from mlvitals.state import Store

OUTCOMES = st.one_of(
    st.builds(
        Outcome,
        verdict=st.sampled_from(Verdict),
        rejected=st.integers(1, 12),
        retry_after=st.none() | st.floats(0, 100),
        doubtful=st.booleans(),
    ),
    st.just("crash"),
)
ROUNDS = st.lists(st.tuples(st.lists(st.integers(1, 9), max_size=3), st.lists(OUTCOMES, max_size=12)), max_size=5)


def balanced(store):
    for status in queue_statuses(store):
        fates = Counter(status.totals)
        enqueued = fates.pop(Fate.ENQUEUED)
        assert enqueued == sum(fates.values()) + status.items
        letters: Counter[Fate] = Counter()
        for letter in dead_letters(store, status.destination):
            letters[letter.fate] += letter.lost
        assert letters == +Counter({fate: fates[fate] for fate in (Fate.REJECTED, Fate.DEAD)})


class World:
    """A process that may die and start again over the same state."""

    def __init__(self, folder, destination, crash, bounds):
        self.path, self.destination, self.crash = Path(folder) / "state.db", destination, crash
        self.clock = FixedClock(0)
        self.bounds = {destination.name: bounds}
        self.produced = self.crashes = 0
        self.taken = []  # bodies to which the answer was ok and the process lived to know it
        self.born()

    def born(self):
        self.store = Store.open(self.path, [MIGRATIONS])
        self.store.connection.execute("PRAGMA synchronous = OFF")  # a process dies here, not a machine
        self.outbox = Outbox(self.store, self.bounds)
        self.sender = Sender(
            outbox=self.outbox, sink=self.destination, clock=self.clock, wait=self.wait, jitter=lambda: 0.5
        )

    def wait(self, seconds):
        self.clock.moment += round(seconds * 1e6)

    def take(self, outcome):
        if outcome.verdict is Verdict.OK:
            self.taken.append(self.destination.sent[-1])
        return outcome

    def produce(self, sizes):
        requests = []
        for size in sizes:
            requests.append(self.destination.request(*range(self.produced, self.produced + size)))
            self.produced += size
        self.outbox.enqueue(self.destination.name, requests, self.clock.now())

    def drain(self, script):
        script = list(script)

        def answer(_):
            told = script.pop(0) if script else Outcome(verdict=Verdict.RETRY, retry_after=100.0)
            if told == "crash":
                self.crashes += 1
                raise self.crash
            return self.take(told)

        self.destination.answer = answer
        try:
            self.sender.drain(self.clock.now() + MINUTE)
        except self.crash:
            self.store.close()
            self.born()
        self.clock.moment += HOUR

    def settle(self):
        self.destination.answer = lambda _: self.take(Outcome(verdict=Verdict.OK))
        assert self.sender.drain(self.clock.now() + HOUR).waiting == 0


@contextlib.contextmanager
def world_of(fakes, bounds):
    destination, crash = fakes
    with tempfile.TemporaryDirectory() as folder:
        world = World(folder, destination(), crash, bounds)
        yield world
        world.store.close()


@settings(max_examples=60, deadline=None)
@given(rounds=ROUNDS, size=st.sampled_from([40, 10**9]), age=st.sampled_from([2 * HOUR, 10**15]))
def test_every_item_has_one_fate(fakes, rounds, size, age):
    with world_of(fakes, Bounds(size=size, age=age)) as world:
        for sizes, script in rounds:
            world.produce(sizes)
            balanced(world.store)
            world.drain(script)
            balanced(world.store)
        world.settle()
        balanced(world.store)
        for status in queue_statuses(world.store):
            assert status.items == 0
            assert status.totals[Fate.ENQUEUED] == world.produced


@settings(max_examples=60, deadline=None)
@given(rounds=ROUNDS)
def test_every_number_is_taken_in_order_or_lies_in_one_dead_letter(fakes, rounds):
    with world_of(fakes, Bounds(size=10**9, age=10**15)) as world:
        for sizes, script in rounds:
            world.produce(sizes)
            world.drain([one for one in script if one == "crash" or one.verdict is not Verdict.REJECTED])
        world.settle()
        taken = [number for body in world.taken for number in json.loads(body)]
        buried = [number for letter in dead_letters(world.store, "there") for number in json.loads(letter.request.body)]
        assert taken == sorted(set(taken))
        assert buried == sorted(set(buried))
        assert sorted(taken + buried) == list(range(world.produced))


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4), script=st.lists(OUTCOMES, max_size=12))
def test_after_a_crash_the_very_same_bytes_leave_first(fakes, sizes, script):
    with world_of(fakes, Bounds(size=10**9, age=10**15)) as world:
        world.produce(sizes)
        world.drain([*script, "crash"])
        sent = list(world.destination.sent)
        crashed = world.crashes
        world.settle()
        if crashed and len(world.destination.sent) > len(sent):
            assert world.destination.sent[len(sent)] == sent[-1]


def test_the_account_adds_up_for_who_reads_it_while_another_process_sends(bench):
    """Each of its queries alone sees whole transactions; two of them, with one between, would not add up."""
    stop = threading.Event()

    def send():
        while not stop.is_set():
            bench.enqueue([1, 2, 3])
            bench.outbox.deliver(bench.outbox.oldest(bench.destination.name, "metrics"))

    writer = threading.Thread(target=send)
    writer.start()
    try:
        with Store.open_read_only(bench.store.path) as reader:
            for _ in range(1_000):
                balanced(reader)
    finally:
        stop.set()
        writer.join()
