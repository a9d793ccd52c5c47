"""Log records as logs: one for each measurement, so that a search finds it by what it says.

A log with a whole window in it would hold thousands of attributes, of which Datadog indexes 256, and could only be
found by one that it shares with all others. What the pieces cost beside one another is in docs/datadog.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from mlvitals.clock import MILLISECOND, format_time
from mlvitals.hashing import content_hash
from mlvitals.signals.spec import Status
from mlvitals.sinks.datadog.requests import Item
from mlvitals.sinks.datadog.tagging import Tagging
from mlvitals.telemetry import WINDOW_CLOSED, LogRecord, Service, Severity

SOURCE: Final = "mlvitals"  # not a name of Datadog's integrations: those bring a pipeline that rewrites logs

# A longer log is cut off, and answered with 202.
LOG_BYTES: Final = 1_000_000
_PIECE: Final = 230_000  # characters of up to four bytes each

_STATUSES: Final = {Severity.INFO: "info", Severity.WARN: "warn", Severity.ERROR: "error"}
_OF_MEASUREMENT: Final = {Status.WARNING.value: "warn", Status.ALERT.value: "error"}
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")

_moment: Final = lru_cache(maxsize=16)(format_time)  # the logs of a window have one time


class LogEncoder:
    """Encodes log records for one destination. All that is ours stands under `mlvitals`, as exact as we have it."""

    def __init__(self, service: Service, tagging: Tagging) -> None:
        self._service = service
        self._tagging = tagging

    def items(self, records: Sequence[LogRecord]) -> Iterator[Item]:
        """Yield the logs of all records, in order.

        Raises:
            ValueError: an attribute is no text.

        """
        for record in records:
            if record.event_name == WINDOW_CLOSED:
                for one in record.body["measurements"]:
                    yield from self._measurement(record, one)
            else:
                yield from self._plain(record)

    def _measurement(self, record: LogRecord, one: Mapping[str, Any]) -> Iterator[Item]:
        name, attributes, value = one["signal"], one["attributes"], one["value"]
        told = ", ".join([one["status"], *[f"{key} {attributes[key]}" for key in sorted(attributes)]])
        figure = "" if value is None else f" {value:.6g}"
        message = f"{one['model']} {one['model_version']}: {name}{figure} ({told})"
        content = {key: value for key, value in one.items() if value is not None}
        content |= {key: value for key, value in record.attributes.items() if key not in one}
        status = _OF_MEASUREMENT.get(one["status"], _STATUSES[record.severity])
        yield from self._log(record, {**record.attributes, **attributes}, status, message, content)

    def _plain(self, record: LogRecord) -> Iterator[Item]:
        text = record.body.get("text")
        whose = f"{record.attributes['model']}: " if "model" in record.attributes else ""
        message = f"{whose}{record.event_name}{f' {text}' if isinstance(text, str) else ''}"
        content = {**record.attributes, "body": record.body}
        yield from self._log(record, record.attributes, _STATUSES[record.severity], message, content)

    def _log(
        self, record: LogRecord, attributes: Mapping[str, str], status: str, message: str, content: dict[str, Any]
    ) -> Iterator[Item]:
        tags = ",".join(self._tagging.tags(attributes, record.tags))
        stamp = record.time // MILLISECOND
        # What it is called, when it was, whatever its stamp becomes, and an id by which one that came twice is one.
        head = {"event": record.event_name, "time": _moment(record.time)}
        content |= head
        whole = _ENCODER.encode(content)
        head["id"] = content["id"] = content_hash(whole, tags.encode())

        def log(message: str, own: Mapping[str, Any]) -> bytes:
            told = {
                "ddsource": SOURCE,
                "ddtags": tags,
                "service": self._service.name,
                "status": status,
                "message": message,
                "mlvitals": own,
            }
            # First, where it is found again whatever stands in the rest.
            return b'{"timestamp":%d,%b' % (stamp, _ENCODER.encode(told)[1:])

        encoded = log(message, content)
        if len(encoded) <= LOG_BYTES:
            yield Item(encoded, stamp * MILLISECOND)
            return
        text = whole.decode()
        pieces = [text[first : first + _PIECE] for first in range(0, len(text), _PIECE)]
        for number, piece in enumerate(pieces, 1):
            part = {"part": number, "parts": len(pieces), "json": piece}
            yield Item(log(f"{message[:1_000]} [{number}/{len(pieces)}]", {**head, **part}), stamp * MILLISECOND)
