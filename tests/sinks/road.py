"""The way from items to a server over the outbox."""

from mlvitals.clock import MINUTE, SECOND, FixedClock
from mlvitals.delivery import Outbox, Sender, dead_letters, queue_statuses


class Road:
    """A destination, its queue and a sender whose waiting moves the clock from `now` on."""

    def __init__(self, context, config, now):
        self.clock = FixedClock(now)
        self.waits: list[float] = []
        self.store = context.store
        self.name = config.name
        self.sink = config.open(context)
        self.outbox = Outbox(context.store)
        self.sender = Sender(outbox=self.outbox, sink=self.sink, clock=self.clock, wait=self.wait, jitter=lambda: 1.0)

    def wait(self, seconds):
        self.waits.append(seconds)
        self.clock.moment += round(seconds * SECOND)

    def send(self, points=(), logs=()):
        self.outbox.enqueue(self.name, self.sink.encode(points, logs), self.clock.now())
        return self.drain()

    def drain(self, time=MINUTE):
        return self.sender.drain(self.clock.now() + time)

    def totals(self):
        (status,) = queue_statuses(self.store)
        return {fate.value: items for fate, items in status.totals.items() if items}

    def letters(self):
        return list(dead_letters(self.store, self.name))
