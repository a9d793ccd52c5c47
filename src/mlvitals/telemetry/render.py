"""Measurements become points (as many as the export level allows) and log records (every measurement, whole)."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

import msgspec

from mlvitals.signals.measurement import Measurement
from mlvitals.signals.spec import Export, MetricSpec
from mlvitals.telemetry.points import LogRecord, MetricPoint
from mlvitals.telemetry.service import Service

WINDOW_CLOSED: Final = "mlvitals.window.closed"

# Backends cut or refuse a long record: Datadog takes 1 MB a log, an OTLP collector 4 MiB a request by default.
BODY_BYTES: Final = 512_000

_LEVELS: Final = tuple(Export)


def render(
    measurements: Sequence[Measurement],
    *,
    stamp: int,
    start: int,
    level: Export,
    specs: Mapping[str, MetricSpec],
    service: Service,
    revised: bool = False,
) -> tuple[list[MetricPoint], list[LogRecord]]:
    """Return what leaves for the measurements of one window, or of one cohort at one maturity.

    Times are microseconds since the epoch: `start` is the window's start, `stamp` its end (plus the maturity). A point
    is plotted once (law 8), so `revised` measurements leave as documents only. `level` full adds each interval, by the
    attribute `bound`.

    Raises:
        KeyError: a signal stands in no spec (law 7).

    """
    points: list[MetricPoint] = []
    if not revised:
        leaving = _LEVELS[: _LEVELS.index(level) + 1]
        for one in measurements:
            if specs[one.signal].level_of(one.attributes, one.status) in leaving:
                attributes = _attributes(one.model, one.model_version, service) | dict(one.attributes)
                points += [
                    MetricPoint(
                        name=one.signal,
                        unit=specs[one.signal].unit,
                        value=value,
                        time=stamp,
                        start=start,
                        attributes=attributes | bound,
                        tags=service.model_tags,
                    )
                    for value, bound in _values(one, level)
                ]
    logs = [
        record
        for cohort, members in groupby(sorted(measurements, key=_cohort), key=_cohort)
        for record in _records(cohort, list(members), stamp, service)
    ]
    return points, logs


def _values(measurement: Measurement, level: Export) -> Iterator[tuple[float, dict[str, str]]]:
    if measurement.value is not None:
        yield measurement.value, {}
    if level is Export.FULL:
        for bound, value in (("lower", measurement.lower), ("upper", measurement.upper)):
            if value is not None:
                yield value, {"bound": bound}


def _records(
    cohort: tuple[str, str, str, str], members: Sequence[Measurement], stamp: int, service: Service
) -> Iterator[LogRecord]:
    model, version, _, _ = cohort
    attributes = _attributes(model, version, service)
    if service.owner:
        attributes["owner"] = service.owner
    for documents in _chunks(members):
        yield LogRecord(
            event_name=WINDOW_CLOSED,
            time=stamp,
            attributes=attributes,
            tags={**service.log_tags, **service.model_tags},
            body={"measurements": documents},
        )


def _chunks(members: Sequence[Measurement]) -> Iterator[list[dict[str, Any]]]:
    if len(msgspec.json.encode(members)) <= BODY_BYTES:  # as nearly all are: told in one go
        yield msgspec.to_builtins(members)
        return
    chunk: list[dict[str, Any]] = []
    size = 0
    for one in members:
        length = len(msgspec.json.encode(one)) + 1
        if chunk and size + length > BODY_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(msgspec.to_builtins(one))
        size += length
    if chunk:
        yield chunk


def _cohort(measurement: Measurement) -> tuple[str, str, str, str]:
    return measurement.model, measurement.model_version, measurement.window_start, measurement.window_end


def _attributes(model: str, version: str, service: Service) -> dict[str, str]:
    return {"model": model, "model_version": version, "environment": service.environment}
