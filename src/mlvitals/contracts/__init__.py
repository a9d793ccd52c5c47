"""The contracts that statistics, formats, sources and sinks keep, as functions that any test may call."""

from mlvitals.contracts.formats import check_format
from mlvitals.contracts.sinks import check_sink, sink_context
from mlvitals.contracts.sources import check_source
from mlvitals.contracts.statistics import check_statistic

__all__ = ["check_format", "check_sink", "check_source", "check_statistic", "sink_context"]
