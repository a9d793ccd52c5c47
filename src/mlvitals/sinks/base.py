"""What a sink is opened with."""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Final

import msgspec

from mlvitals.clock import parse_duration
from mlvitals.delivery import Bounds
from mlvitals.signals.spec import MetricSpec
from mlvitals.state import Store
from mlvitals.telemetry import Service

_SIZE: Final = re.compile(r"(\d+)(B|KiB|MiB|GiB)")
_UNITS: Final = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_LETTERS_SHARE: Final = 4


class QueueConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much may wait for a destination, and how long, before the oldest expires (law 5).

    Dead letters may take a quarter of `size` beside.
    """

    size: str = "256MiB"
    age: str = "7d"

    def __post_init__(self) -> None:
        """Refuse what is no size or no duration, and a queue that keeps nothing."""
        if _bytes(self.size) == 0:
            raise ValueError("`size` must be more than nothing")
        if parse_duration(self.age) == 0:
            raise ValueError("`age` must be longer than nothing")

    @property
    def bounds(self) -> Bounds:
        """The bounds in bytes and microseconds."""
        size = _bytes(self.size)
        return Bounds(size=size, age=parse_duration(self.age), letters=size // _LETTERS_SHARE)


def _bytes(text: str) -> int:
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"`{text}` is not a size: write a whole number and one of B, KiB, MiB, GiB, like `256MiB`")
    return int(match[1]) * _UNITS[match[2]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkContext:
    """What a configured sink needs to become a destination.

    specs: every metric that may be sent, by name. store: the state, where a sink may keep something. stdout: where a
    sink may print. environ: the environment's variables, where a protocol has some of its own.
    """

    service: Service
    specs: Mapping[str, MetricSpec]
    store: Store
    stdout: BinaryIO = field(default_factory=lambda: sys.stdout.buffer)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
