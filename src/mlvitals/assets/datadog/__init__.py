"""Boards and monitors for Datadog."""

from mlvitals.assets.datadog.files import render

__all__ = ["render"]
