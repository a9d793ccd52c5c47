"""Windows of models with what their detectors found, so that tests read as stories of incidents."""

import sqlite3

from mlvitals.clock import HOUR, parse_time
from mlvitals.decisions.episode import Span
from mlvitals.decisions.episode_tables import MIGRATIONS
from mlvitals.decisions.episodes import Episodes
from mlvitals.decisions.finding import Detector, Finding, Recovery, Source
from mlvitals.decisions.words import Word, put_down

NOON = parse_time("2026-03-01T12:00:00Z")
GROUPS = {
    "terminal_a": {"group": "terminal_view", "group_owner": "platform", "upstream": "terminals"},
    "terminal_b": {"group": "terminal_view", "group_owner": "platform", "upstream": "terminals"},
    "shop_a": {"group": "shops", "upstream": "terminals"},
    "card_a": {"group": "cards"},
}


def fresh():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for step in MIGRATIONS.steps:
        for statement in step:
            connection.execute(statement)
    return connection


class Told:
    """Windows of an hour, numbered from noon, of models that come when they are named."""

    def __init__(self, connection, hours=1):
        self.connection = connection
        self.length = hours * HOUR

    def source(self, model, subject, detector=Detector.FEATURE):
        return Source(model, "", detector, subject)

    def finding(self, model, window, subject, *, detector=Detector.FEATURE, since=None):
        start = NOON + window * self.length
        return Finding(
            source=self.source(model, subject, detector),
            component="location",
            start=start,
            end=start + self.length,
            onset=NOON + (window - 2 if since is None else since) * self.length,
            effect=0.4,
            lower=0.3,
            upper=0.5,
            unit="{sd}",
            evidence=5.0,
            bar=4.5,
        )

    def take(self, model, window, found=(), over=(), *, since=None, detector=Detector.FEATURE, quiets=()):
        """Close a window in which features were found, and others recovered; return what happened."""
        start = NOON + window * self.length
        end = start + self.length
        return Episodes(self.connection).take(
            Span(model=model, start=start, end=end),
            [self.finding(model, window, one, since=since, detector=detector) for one in found],
            [Recovery(source=self.source(model, one, detector), end=end) for one in over],
            origin=lambda feature: GROUPS.get(feature or "", {}),
            quiets=quiets,
        )

    def what(self, *words, **more):
        return [one.what for one in self.take(*words, **more)]

    def say(self, kind, **more):
        put_down(self.connection, Word(kind=kind, time=NOON, user="ann", reason="known", **more))
        return Episodes(self.connection).heed()
