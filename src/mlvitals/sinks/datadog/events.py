"""Change events as events of the category `change`, which Datadog lays over graphs: a request each."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from mlvitals.clock import MILLISECOND, format_time
from mlvitals.delivery import Request
from mlvitals.hashing import content_hash
from mlvitals.sinks.datadog.requests import EVENTS
from mlvitals.sinks.datadog.tagging import Tagging
from mlvitals.telemetry import CHANGE, LogRecord, Service

# "Post an event" of Datadog's API reference (v2). The log of the same change holds what is longer.
_TITLE: Final = 500
_MESSAGE: Final = 4_000
_RESOURCE: Final = 128
_METADATA: Final = 1_000
_TAGS: Final = 100

_FLAG: Final = "flag"


class EventEncoder:
    """Encodes change events for one destination; other records are none."""

    def __init__(self, service: Service, tagging: Tagging) -> None:
        self._service = service
        self._tagging = tagging

    def requests(self, records: Sequence[LogRecord]) -> list[Request]:
        """Return a request for each change event, in order."""
        return [self._request(record) for record in records if record.event_name == CHANGE]

    def _request(self, record: LogRecord) -> Request:
        kind, text = record.attributes["kind"], record.body["text"]
        model = record.attributes.get("model", "")
        stamp = record.time // MILLISECOND * MILLISECOND
        # A flag's flip is Datadog's other kind of resource; a deployment, a reference, a schema are configuration.
        name = (model.strip() or self._service.name.strip() or "mlvitals")[:_RESOURCE]
        resource = {"name": name, "type": "feature_flag" if kind == _FLAG else "configuration"}
        own: dict[str, Any] = {
            "changed_resource": resource,
            "change_metadata": {"kind": kind[:_METADATA], "model": model[:_METADATA]},
            "impacted_resources": [{"name": self._service.name[:_RESOURCE] or "mlvitals", "type": "service"}],
        }
        attributes: dict[str, Any] = {
            "category": "change",
            "integration_id": "custom-events",
            "title": f"{kind or 'change'}: {model or 'all models'}"[:_TITLE],
            "timestamp": format_time(stamp),
            "tags": self._tagging.tags(record.attributes, record.tags)[:_TAGS],
            "aggregation_key": content_hash(kind.encode(), text.encode(), model.encode(), b"%d" % record.time),
            "attributes": own,
        }
        if text:
            attributes["message"] = text[:_MESSAGE]
        body = msgspec.json.encode({"data": {"type": "event", "attributes": attributes}}, order="deterministic")
        return Request(route=EVENTS, body=body, items=1, first=stamp, last=stamp)
