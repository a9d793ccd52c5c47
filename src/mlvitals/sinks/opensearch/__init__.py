"""The `opensearch` sink: measurements as documents and log records in OpenSearch or Elasticsearch.

By our own loop over `_bulk` and not the engines' clients, whose helpers call a lost item delivered or send none again.
"""

from mlvitals.sinks.opensearch.config import OpenSearchSink

__all__ = ["OpenSearchSink"]
