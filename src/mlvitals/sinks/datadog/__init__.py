"""The `datadog` sink: gauges, logs and change events by Datadog's own HTTP API.

Not datadog-api-client: it calls a 202 with errors a success, waits without end, sends NaN, and builds ten thousand
points as slowly as a window can afford to.
"""

from mlvitals.sinks.datadog.config import DatadogSink
from mlvitals.sinks.datadog.tables import MIGRATIONS

__all__ = ["MIGRATIONS", "DatadogSink"]
