"""The commands: the only place that prints."""

from mlvitals.cli.main import main

__all__ = ["main"]
