"""The configuration of a scrape endpoint."""

from typing import TYPE_CHECKING, Annotated

import msgspec

from mlvitals.sinks.base import QueueConfig, SinkContext

if TYPE_CHECKING:
    from mlvitals.sinks.prometheus.destination import PrometheusDestination


class PrometheusSink(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="prometheus"
):
    """Serve the newest value of every series to a Prometheus that scrapes.

    listen: host and port; port 0 is any free one. windows: a value is shown for so many lengths of its window, then it
    vanishes, so that a model that died is not taken for one that stands still.
    """

    name: str = "prometheus"
    listen: str = "127.0.0.1:9464"
    windows: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 3
    queue: QueueConfig = QueueConfig()

    def __post_init__(self) -> None:
        """Refuse what is no address."""
        from mlvitals.transport.listen import split_address  # noqa: PLC0415  # --help opens no socket

        split_address(self.listen)

    def open(self, context: SinkContext) -> "PrometheusDestination":
        """Return the destination; it does not listen yet."""
        from mlvitals.sinks.prometheus.destination import PrometheusDestination  # noqa: PLC0415  # as above

        return PrometheusDestination(
            name=self.name, address=self.listen, windows=self.windows, specs=context.specs, context=context
        )
