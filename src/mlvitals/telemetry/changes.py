"""Change events as log records: what somebody did to a model, told beside what was measured."""

from typing import Final

from mlvitals.telemetry.points import LogRecord
from mlvitals.telemetry.service import Service

CHANGE: Final = "mlvitals.change"


def change_record(*, model: str, kind: str, text: str, time: int, service: Service) -> LogRecord:
    """Return the record of a change; `model` is empty where it concerns all. time: microseconds since the epoch."""
    attributes = {"environment": service.environment, "kind": kind} | ({"model": model} if model else {})
    if service.owner:
        attributes["owner"] = service.owner
    return LogRecord(
        event_name=CHANGE,
        time=time,
        attributes=attributes,
        tags={**service.log_tags, **service.model_tags},
        body={"text": text},
    )
