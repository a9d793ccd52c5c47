"""What a sink is opened with."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

import msgspec

from mlvitals.signals.spec import MetricSpec
from mlvitals.state import Store
from mlvitals.telemetry import Service


class QueueConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much may wait for a destination, and how long, before the oldest expires (law 5)."""

    size: str = "256MiB"
    age: str = "7d"


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkContext:
    """What a configured sink needs to become a destination.

    specs: every metric that may be sent, by name. store: the state, where a sink may keep something. stdout: where a
    sink may print.
    """

    service: Service
    specs: Mapping[str, MetricSpec]
    store: Store
    stdout: BinaryIO = field(default_factory=lambda: sys.stdout.buffer)
