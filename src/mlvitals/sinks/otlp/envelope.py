"""What stands around every item: one resource, who we are, and one scope, what made the numbers."""

from collections.abc import Iterable, Mapping
from typing import Final

from mlvitals.sinks.agent import VERSION
from mlvitals.sinks.otlp.values import key_values
from mlvitals.sinks.otlp.wire import DELIMITED, message, repeated, tag, text, varint
from mlvitals.telemetry import Service
from mlvitals.telemetry.naming.otel import resource_attributes

# The first release of OpenTelemetry's conventions with every name of theirs that we use (deployment.environment.name).
SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.27.0"


_SCOPE: Final = text(1, "mlvitals") + text(2, VERSION)


class Envelope:
    """What stands around the items of one service's requests: the same for metrics and for logs, field by field.

    after: the bytes that follow the items. size: all that stands around them, or a little more.
    """

    def __init__(self, service: Service, attributes: Mapping[str, str]) -> None:
        """Keep the resource: the same after every restart, so that no backend sees a new instance.

        attributes: more of the resource's, under the service's tags and what follows from its name.
        """
        resource = repeated(1, key_values({**attributes, **resource_attributes(service)}))
        self._resource = message(1, resource)
        self._scope = message(1, _SCOPE)
        self._schema = text(3, SCHEMA_URL)
        self.after = 2 * len(self._schema)
        self.size = len(self.around([], 0)) + 16  # its lengths grow by less with what it holds

    def around(self, pieces: Iterable[bytes], size: int) -> bytes:
        """Return the request that holds items, `Metric` or `LogRecord` messages, each as field 2 of their scope.

        pieces: of their bytes, `size` in all.
        """
        in_scope = len(self._scope) + size + len(self._schema)
        before = self._resource + tag(2, DELIMITED) + varint(in_scope) + self._scope
        whole = len(before) + size + self.after
        return b"".join((tag(1, DELIMITED), varint(whole), before, *pieces, self._schema, self._schema))
