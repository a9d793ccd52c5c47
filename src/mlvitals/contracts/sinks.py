"""What every sink keeps: pure requests, whole halves, classified answers, and no secret told."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

import msgspec

from mlvitals import delivery
from mlvitals.clock import HOUR, SECOND, format_time
from mlvitals.contracts.require import require
from mlvitals.decisions.episode import Episode, Happening, Part, What
from mlvitals.decisions.finding import Detector, Finding, Source
from mlvitals.delivery import Outcome, Request, Sink, Verdict
from mlvitals.signals.measurement import Measurement
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import MetricSpec, Status
from mlvitals.sinks import SinkContext, datadog, local, prometheus
from mlvitals.state import Store
from mlvitals.telemetry import WINDOW_CLOSED, LogRecord, MetricPoint, Service, page_record

_START: Final = 1_700_000_000 * SECOND // HOUR * HOUR
_WINDOWS: Final = 3
_MIGRATIONS: Final = (delivery.MIGRATIONS, datadog.MIGRATIONS, local.MIGRATIONS, prometheus.MIGRATIONS)


class SinkConfig(Protocol):
    """The configuration of a sink."""

    @property
    def name(self) -> str:
        """The destination's name in the outbox."""
        ...

    def open(self, context: SinkContext) -> Sink:
        """Return the destination."""
        ...


Items = tuple[Sequence[MetricPoint], Sequence[LogRecord]]
Demand = Callable[[SinkConfig, SinkContext, Sequence[str]], None]


@contextmanager
def sink_context(folder: Path) -> Iterator[SinkContext]:
    """Open what a sink is opened with: a state in a folder, every signal of ours, and a service."""
    with Store.open(folder / "state.db", _MIGRATIONS) as store:
        yield SinkContext(service=Service(name="contract", environment="test"), specs=REGISTRY, store=store)


def check_sink(config: SinkConfig, context: SinkContext, secrets: Sequence[str] = ()) -> None:
    """Hold a sink against its contract; its destination is sent to.

    Args:
        config: its configuration, which leads to a destination that may be filled with what a test sends.
        context: what it is opened with.
        secrets: what stands in the configuration and must be seen nowhere.

    Raises:
        AssertionError: it breaks the contract; the message says how.

    """
    for demand in SINK_DEMANDS:
        demand(config, context, secrets)


def encode_the_same_items_to_the_same_bytes(config: SinkConfig, context: SinkContext, secrets: Sequence[str]) -> None:
    """Demand that requests depend on the items only, not on the order of an item's attributes nor on who asks."""
    del secrets
    points, logs = _items(context)
    kept = deepcopy((points, logs))
    one, other = config.open(context), config.open(context)
    first = one.encode(points, logs)
    require((points, logs) == kept, "encoding changed the items")
    require(one.encode(points, logs) == first, "the same items, encoded twice, give other bytes")
    require(other.encode(points, logs) == first, "another destination of the same configuration gives other bytes")
    turned = [replace(point, attributes=dict(reversed(list(point.attributes.items())))) for point in points]
    require(one.encode(turned, logs) == first, "the order of a point's attributes changes the bytes")
    require(one.encode([], []) == [], "nothing to send gives a request")
    one.close()
    other.close()


def say_what_requests_hold(config: SinkConfig, context: SinkContext, secrets: Sequence[str]) -> None:
    """Demand a route, a body, a number of items and the span of their stamps of every request."""
    del secrets
    sink = config.open(context)
    requests = sink.encode(*_items(context))
    require(len(requests) > 0, "points and logs give no request")
    for request in requests:
        _require_sound(request, sink.routes)
    sink.close()


def split_without_loss(config: SinkConfig, context: SinkContext, secrets: Sequence[str]) -> None:
    """Demand that halves hold a request's items, down to requests that cannot be divided, and that halving is pure."""
    del secrets
    sink = config.open(context)
    waiting = list(sink.encode(*_items(context)))
    while waiting:
        request = waiting.pop()
        halves = sink.split(request)
        require(sink.split(request) == halves, "a request, halved twice, gives other halves")
        if not halves:
            continue
        require(len(halves) == 2, f"a request is split into {len(halves)}, not into two")  # halves
        items = [half.items for half in halves]
        require(sum(items) == request.items and min(items) > 0, f"{request.items} items are split into {items}")
        for half in halves:
            _require_sound(half, sink.routes)
            inside = request.first <= half.first and half.last <= request.last and half.route == request.route
            require(inside, "a half has another route than the whole, or stamps beyond its span")
        waiting += halves
    sink.close()


def classify_every_answer(config: SinkConfig, context: SinkContext, secrets: Sequence[str]) -> None:
    """Demand an `Outcome` of a probe and of every request, with a reason of one line that tells no secret."""
    sink = config.open(context)
    outcomes = [sink.probe(), *(sink.send(request) for request in sink.encode(*_items(context)))]
    for outcome in outcomes:
        classified = isinstance(outcome, Outcome) and isinstance(outcome.verdict, Verdict)
        require(classified, f"an answer is {outcome!r}, not an Outcome with a Verdict")
        require("\n" not in outcome.reason, f"the reason {outcome.reason!r} is not one line")
        require(outcome.rejected >= 0, f"{outcome.rejected} items are rejected")
        require(not any(secret in outcome.reason for secret in secrets), "a reason tells a secret")
    sink.close()


def keep_secrets(config: SinkConfig, context: SinkContext, secrets: Sequence[str]) -> None:
    """Demand that neither the configuration nor the destination shows a secret, as a traceback would."""
    sink = config.open(context)
    require(sink.name == config.name, f"the destination is called {sink.name!r}, its configuration {config.name!r}")
    for shown in (repr(config), str(config), repr(sink), str(sink)):
        require(not any(secret in shown for secret in secrets), "the representation of the sink shows a secret")
    sink.close()


def renew_what_is_too_old(config: SinkConfig, context: SinkContext, secrets: Sequence[str]) -> None:
    """Demand that renewed requests are not past the age limit, hold no more than before, and are the same each time."""
    del secrets
    sink = config.open(context)
    renewal = sink.renewal
    requests = sink.encode(*_items(context))
    now = _START + 1000 * HOUR
    for route in sink.routes:
        mine = [request for request in requests if request.route == route]
        if renewal is None or (limit := renewal.age_limit(route)) is None or not mine:
            continue
        renewed = renewal.renew(route, mine, now)
        require(renewed == renewal.renew(route, mine, now), "requests, renewed twice, give other requests")
        require(sum(one.items for one in renewed) <= sum(one.items for one in mine), "renewed requests hold more items")
        for one in renewed:
            require(one.route == route, "a renewed request has another route")
            require(now - limit <= one.first <= one.last <= now, "a renewed request is still too old, or of the future")
    sink.close()


SINK_DEMANDS: Final[tuple[Demand, ...]] = (
    encode_the_same_items_to_the_same_bytes,
    say_what_requests_hold,
    split_without_loss,
    renew_what_is_too_old,
    classify_every_answer,
    keep_secrets,
)


def _require_sound(request: Request, routes: Sequence[str]) -> None:
    require(request.route in routes, f"the route of a request is {request.route!r}, none of {routes!r}")
    require(isinstance(request.body, bytes) and request.body != b"", "a request has no body of bytes")
    require(request.items > 0, f"a request holds {request.items} items")
    span = _START <= request.first <= request.last <= _START + _WINDOWS * HOUR
    require(span, f"a request spans {request.first} to {request.last}, which are no stamps of its items")


def _items(context: SinkContext) -> Items:
    """Return what leaves for three windows: a point of each signal, a record of measurements, and a page."""
    specs = list(context.specs.values())
    points = [_point(spec, number) for number in range(_WINDOWS) for spec in specs]
    logs = [record for number in range(_WINDOWS) for record in (_record(specs, number), _page(number, context.service))]
    return points, logs


def _attributes(spec: MetricSpec) -> dict[str, str]:
    of_the_model = {"model": "card-fraud", "model_version": "7", "environment": "test"}
    return of_the_model | {name: f"größer than {name}" for name in spec.attributes}


def _point(spec: MetricSpec, number: int) -> MetricPoint:
    start = _START + number * HOUR
    value = 0.1 * (number + 1)
    return MetricPoint(
        name=spec.name, unit=spec.unit, value=value, time=start + HOUR, start=start, attributes=_attributes(spec)
    )


def _record(specs: Sequence[MetricSpec], number: int) -> LogRecord:
    start = _START + number * HOUR
    measurements = [
        Measurement(
            signal=spec.name,
            value=0.1 * (number + 1),
            unit=spec.unit,
            model="card-fraud",
            model_version="7",
            environment="test",
            window_start=format_time(start),
            window_end=format_time(start + HOUR),
            attributes={name: f"größer than {name}" for name in spec.attributes},
            samples=100,
            reference_samples=None,
            lower=None,
            upper=None,
            status=Status.OK,
            threshold=None,
            evidence={"median": 3.0},
            revision=0,
            reference_hash=None,
        )
        for spec in specs
    ]
    attributes = {"model": "card-fraud", "model_version": "7", "environment": "test"}
    body = {"measurements": [msgspec.to_builtins(one) for one in measurements]}
    return LogRecord(event_name=WINDOW_CLOSED, time=start + HOUR, attributes=attributes, body=body)


def _page(number: int, service: Service) -> LogRecord:
    start = _START + number * HOUR
    source = Source("card-fraud", "", Detector.FEATURE, "größe")
    finding = Finding(
        source=source,
        component="location",
        start=start,
        end=start + HOUR,
        onset=start,
        effect=0.4,
        lower=0.3,
        upper=0.5,
        unit="{sd}",
        evidence=5.0,
        bar=4.5,
    )
    part = Part(finding=finding, origin={"group": "shops"}, found=finding.end, over=None)
    episode = Episode(
        id=f"{number:012x}",
        model=source.model,
        since=finding.onset,
        opened=finding.end,
        seen=finding.end,
        until=None,
        ending=None,
        findings=1,
        parts=[part],
        models=[source.model],
    )
    happening = Happening(
        what=What.OPENED,
        model=source.model,
        time=finding.end,
        episode=episode,
        finding=finding,
        origin=part.origin,
        moved=[source.subject],
    )
    return page_record(happening, service)
