"""Where a page leads its reader, as a configuration says it."""

import msgspec

from mlvitals.telemetry.links import Links


class LinksConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A team's own links, with places in braces for what a page speaks of (`telemetry.links` names them).

    rows: to the logged rows behind a page. runbook: to what to do; None for the section of our own.
    """

    rows: str | None = None
    runbook: str | None = None

    def __post_init__(self) -> None:
        _ = self.templates

    @property
    def templates(self) -> Links:
        """The links, ready to be filled; raises ValueError if one is none."""
        return Links(rows=self.rows, runbook=self.runbook)
