"""The `prometheus` sink: the newest value of every series, kept in the state, for a scraper to fetch."""

from mlvitals.sinks.prometheus.config import PrometheusSink
from mlvitals.sinks.prometheus.tables import MIGRATIONS

__all__ = ["MIGRATIONS", "PrometheusSink"]
