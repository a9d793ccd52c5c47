"""A point for every metric there is, and a record of every kind, with the names that people give things."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from mlvitals.clock import MINUTE, format_time
from mlvitals.signals.measurement import Measurement
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import Instrument, MetricSpec, Stage, Status
from mlvitals.telemetry import WINDOW_CLOSED, LogRecord, MetricPoint, Service

WINDOW: Final = 5 * MINUTE
# Ends of windows before now's: exactly aligned, and no older than the hour after which Datadog takes no point.
_AGES: Final = (10, 2, 1, 0)

SERVICE: Final = Service(
    name="mlvitals contract",
    environment="Prüfung",
    tags={"region": "eu-west-1", "cluster": "Blue Green"},
    owner="team-fraud",
    model_tags={"team": "Risk & Fraud", "cost_center": "4711"},
)

PLAIN: Final = ("amount", "card_country")
HOSTILE: Final = (
    "Größe in m²",
    "two  words",
    "MixedCase-and-DASH",
    "a|b",
    "key:value, other:value",
    'say "yes" \\ or {no}',
    "line one\nline two",
    "1starts.with.digit/",
    "_leading and trailing_",
    "顧客の年齢 🙂",
    "long_" + "name_" * 30 + "end",
)

# What people name, so that it can hold anything.
_FREE: Final = ("feature", "class", "model", "model_version", "segment", "destination")
# What we name.
_CLOSED: Final = {
    "comparison": ("operating", "training", "previous", "version"),
    "family": ("pipeline", "data", "model", "label"),
    "maturity": ("0s", "7d", "30d"),
    "method": ("psi", "js", "hellinger", "tvd", "linf", "chi2", "ks", "wasserstein"),
    "metric": ("roc_auc", "accuracy", "f1", "log_loss", "rmse", "mape"),
    "quantile": ("0.05", "0.5", "0.95", "0.99"),
    "bound": ("lower", "upper"),
    "outcome": ("accepted", "late", "unparseable"),
    "fate": ("delivered", "expired"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """Points and records as the pipeline hands them to a sink, oldest window first, and whose they are."""

    service: Service
    points: tuple[MetricPoint, ...]
    logs: tuple[LogRecord, ...]


def everything(now: int) -> Everything:
    """Return points for every metric and records of every kind, the newest ending at or before `now` (microseconds).

    Every attribute takes hostile values where people name it, and every one of ours where we do; no two points have the
    same value.
    """
    newest = now // WINDOW * WINDOW
    ends = [newest - age * WINDOW for age in _AGES]
    series = [(spec, attributes) for spec in REGISTRY.values() for attributes in _identities(spec)]
    drawn = random.Random(4711)
    points = [
        MetricPoint(
            name=spec.name,
            unit=spec.unit,
            value=_value(spec, drawn, number * len(ends) + age),
            time=end,
            start=ends[0] - WINDOW if spec.instrument is Instrument.COUNTER else end - WINDOW,
            attributes=attributes,
            tags=SERVICE.model_tags,
        )
        for age, end in enumerate(ends)
        for number, (spec, attributes) in enumerate(series)
    ]
    return Everything(service=SERVICE, points=tuple(points), logs=tuple(_window_closed(end) for end in ends))


def _identities(spec: MetricSpec) -> Iterator[dict[str, str]]:
    """Yield the attributes of a metric's series: each value of each attribute at least once."""
    names = ("environment", *spec.attributes) if spec.stage is Stage.RUNNING else _of_a_model(spec)
    choices = {name: _choices(name) for name in names}
    seen = set()
    for turn in range(max(len(values) for values in choices.values())):
        chosen = {name: values[turn % len(values)] for name, values in choices.items()}
        if (identity := tuple(sorted(chosen.items()))) not in seen:
            seen.add(identity)
            yield chosen


def _of_a_model(spec: MetricSpec) -> tuple[str, ...]:
    return ("model", "model_version", "environment", *spec.attributes)


def _choices(name: str) -> tuple[str, ...]:
    if name == "environment":
        return (SERVICE.environment,)
    if name in _CLOSED:
        return _CLOSED[name]
    return (*PLAIN, *HOSTILE) if name in _FREE else PLAIN


def _value(spec: MetricSpec, drawn: random.Random, number: int) -> float:
    """Return a value that no other point has: shares within [0, 1], totals that grow, else small, large or negative."""
    if spec.instrument is Instrument.COUNTER:
        return float(1_000_000 + number)
    if spec.unit == "1":
        return drawn.random()
    return drawn.choice((1.0, -1.0, 1e-9, -1e9)) * drawn.uniform(0.1, 10.0)


def _window_closed(end: int) -> LogRecord:
    about = {"model": HOSTILE[0], "model_version": HOSTILE[2], "environment": SERVICE.environment}
    measurements = [
        msgspec.to_builtins(_measurement(spec, end, about))
        for spec in REGISTRY.values()
        if spec.stage is not Stage.RUNNING
    ]
    return LogRecord(
        event_name=WINDOW_CLOSED,
        time=end,
        attributes={**about, "owner": SERVICE.owner},
        tags=SERVICE.model_tags,
        body={"measurements": measurements},
    )


def _measurement(spec: MetricSpec, end: int, about: dict[str, str]) -> Measurement:
    return Measurement(
        signal=spec.name,
        value=0.1,
        unit=spec.unit,
        **about,
        window_start=format_time(end - WINDOW),
        window_end=format_time(end),
        attributes={name: _choices(name)[-1] for name in spec.attributes},
        samples=250,
        reference_samples=None,
        lower=-0.5,
        upper=1e300,
        status=Status.WARNING,
        threshold=0.25,
        evidence={"median": 3.0, "worst cell": HOSTILE[5]},
        revision=0,
        reference_hash="0123456789abcdef",
    )
