"""What requests go out, and what their answers mean: a configuration for each kind of destination."""

from mlvitals.sinks.base import SinkContext
from mlvitals.sinks.local import LocalSink
from mlvitals.sinks.otlp import OtlpSink
from mlvitals.sinks.stdout import StdoutSink

SinkConfig = LocalSink | OtlpSink | StdoutSink

__all__ = ["LocalSink", "OtlpSink", "SinkConfig", "SinkContext", "StdoutSink"]
