"""Boards and rules for Elasticsearch and Kibana, written for Kibana 8.17 and newer."""

from mlvitals.assets.elastic.files import render

__all__ = ["render"]
