"""What a sender has done so far."""

from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class DrainReport:
    """What a sender did to a destination.

    requests: how many were sent. delivered, rejected, dead, expired, superseded: items. waiting: requests that still
    wait. trouble: why, if anything does; held: until a person acts. warnings: what the destination said beside its
    consent.
    """

    destination: str
    requests: int = 0
    delivered: int = 0
    rejected: int = 0
    dead: int = 0
    expired: int = 0
    superseded: int = 0
    waiting: int = 0
    trouble: str = ""
    held: bool = False
    warnings: list[str] = field(default_factory=list)

    def add(self, later: "DrainReport") -> None:
        """Take in a later report of the same destination: what was done adds up, what waits is what waits now."""
        self.requests += later.requests
        self.delivered += later.delivered
        self.rejected += later.rejected
        self.dead += later.dead
        self.expired += later.expired
        self.superseded += later.superseded
        self.waiting, self.trouble, self.held = later.waiting, later.trouble, later.held
        for warning in later.warnings:
            self.warn(warning)

    def warn(self, warning: str) -> None:
        """Take in what a destination said beside its consent, each once."""
        if warning not in self.warnings:
            self.warnings.append(warning)

    @property
    def taken(self) -> int:
        """How many items have met their fate by an answer."""
        return self.delivered + self.rejected + self.dead

    @property
    def complete(self) -> bool:
        """Nothing waits, and nothing was lost on the way."""
        return not (self.waiting or self.rejected or self.dead or self.expired)
