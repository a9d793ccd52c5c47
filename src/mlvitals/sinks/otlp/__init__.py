"""The `otlp` sink: metrics and logs by the OpenTelemetry protocol over HTTP, with the times that the data tells.

Not the stock exporters, because they call lost data delivered: see the table of answers in `classify`.
"""

from mlvitals.sinks.otlp.config import OtlpSink

__all__ = ["OtlpSink"]
