"""Boards and monitors for OpenSearch and OpenSearch Dashboards."""

from mlvitals.assets.opensearch.files import render

__all__ = ["render"]
