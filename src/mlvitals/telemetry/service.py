"""Who speaks: the attributes that stand on everything one process sends."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mlvitals.telemetry.links import Links


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The monitoring service itself, as its destinations shall know it.

    tags: on every point and log, by each destination's own means. model_tags: those of the model that is spoken of,
    on its points and logs, over the others. log_tags: those of either that the budget keeps off points, on logs alone.
    owner: whom an unrouted page asks for. links: the team's own, for pages.
    """

    name: str
    environment: str
    tags: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""
    links: Links = field(default_factory=Links)
    model_tags: Mapping[str, str] = field(default_factory=dict)
    log_tags: Mapping[str, str] = field(default_factory=dict)
