"""What requests go out, and what their answers mean: a configuration for each kind of destination."""

from mlvitals.sinks.base import QueueConfig, SinkContext
from mlvitals.sinks.datadog import DatadogSink
from mlvitals.sinks.local import LocalSink
from mlvitals.sinks.opensearch import OpenSearchSink
from mlvitals.sinks.otlp import OtlpSink
from mlvitals.sinks.prometheus import PrometheusSink
from mlvitals.sinks.stdout import StdoutSink

SinkConfig = DatadogSink | LocalSink | OpenSearchSink | OtlpSink | PrometheusSink | StdoutSink

__all__ = [
    "DatadogSink",
    "LocalSink",
    "OpenSearchSink",
    "OtlpSink",
    "PrometheusSink",
    "QueueConfig",
    "SinkConfig",
    "SinkContext",
    "StdoutSink",
]
