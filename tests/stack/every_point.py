"""A point for every metric there is, and a record of every kind, with the names that people give things."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mlvitals.clock import MINUTE, format_time, parse_duration
from mlvitals.signals.measurement import Measurement
from mlvitals.signals.registry import REGISTRY
from mlvitals.signals.spec import Export, Instrument, MetricSpec, Stage, Status
from mlvitals.telemetry import LogRecord, MetricPoint, Service, change_record, render

WINDOW: Final = 5 * MINUTE
# Stamps before now's, in windows: exactly aligned, and well within the hour after which Datadog takes no point.
_AGES: Final = (8, 2, 1, 0)

SERVICE: Final = Service(
    name="mlvitals contract",
    environment="Prüfung",
    tags={"region": "eu-west-1", "cluster": "Blue Green"},
    owner="team-fraud",
    model_tags={"team": "Risk & Fraud", "cost.center": "4711", "2nd-owner": "Größe"},
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
    "fate": ("delivered", "expired"),
    "maturity": ("0s", "7d", "30d"),
    "method": ("psi", "js", "hellinger", "tvd", "linf", "chi2", "ks", "wasserstein"),
    "metric": ("roc_auc", "accuracy", "f1", "log_loss", "rmse", "mape"),
    "outcome": ("accepted", "late", "unparseable"),
    "quantile": ("0.05", "0.5", "0.95", "0.99"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """What leaves for some windows, oldest first, and whose it is.

    points: of every metric. measurements: those that points of windows and cohorts tell, by their stamps; the rest of
    the points are of metrics known while the job runs. logs: what the pipeline makes of the measurements, and changes.
    """

    service: Service
    points: tuple[MetricPoint, ...]
    measurements: tuple[tuple[int, Measurement], ...]
    logs: tuple[LogRecord, ...]


def everything(now: int) -> Everything:
    """Return points for every metric and records of every kind, the newest stamped at or before `now` (microseconds).

    Every attribute takes hostile values where people name it, and every one of ours where we do; intervals leave too,
    and no two measured values are the same.
    """
    drawn = random.Random(4711)
    points: list[MetricPoint] = []
    measured: list[tuple[int, Measurement]] = []
    logs: list[LogRecord] = []
    first = now // WINDOW * WINDOW - _AGES[0] * WINDOW
    for stamp in (first + (_AGES[0] - age) * WINDOW for age in _AGES):
        for delay in dict.fromkeys(parse_duration(text) for text in _CLOSED["maturity"]):
            members = [one for one in _measurements(stamp, drawn) if _delay(one) == delay]
            more, told = render(
                members, stamp=stamp, start=stamp - delay - WINDOW, level=Export.FULL, specs=REGISTRY, service=SERVICE
            )
            points += more
            logs += told
            measured += [(stamp, one) for one in members]
        points += _running(stamp, first)
        logs += _changes(stamp)
    return Everything(service=SERVICE, points=tuple(points), measurements=tuple(measured), logs=tuple(logs))


def _measurements(stamp: int, drawn: random.Random) -> Iterator[Measurement]:
    for spec in REGISTRY.values():
        if spec.stage is Stage.RUNNING:
            continue
        for turn, attributes in enumerate(_identities(("model", "model_version", *spec.attributes))):
            end = stamp - parse_duration(attributes.get("maturity", "0s"))
            ends = (_value(spec, drawn), _value(spec, drawn)) if turn == 0 else (None, None)
            yield Measurement(
                signal=spec.name,
                value=_value(spec, drawn),
                unit=spec.unit,
                model=attributes.pop("model"),
                model_version=attributes.pop("model_version"),
                environment=SERVICE.environment,
                window_start=format_time(end - WINDOW),
                window_end=format_time(end),
                attributes=attributes,
                samples=250,
                reference_samples=None if turn % 2 else 10_000,
                lower=ends[0],
                upper=ends[1],
                status=(Status.OK, Status.WARNING, Status.INSUFFICIENT_DATA)[turn % 3],
                threshold=0.25,
                evidence={"median": 3.0, "worst cell": HOSTILE[5]},
                revision=0,
                reference_hash="0123456789abcdef",
            )


def _changes(stamp: int) -> Iterator[LogRecord]:
    for model, kind, text in (("", "deploy", "release 7"), (HOSTILE[3], "flag", HOSTILE[5]), (PLAIN[0], "schema", "")):
        yield change_record(model=model, kind=kind, text=text, time=stamp, service=SERVICE)


def _running(stamp: int, first: int) -> Iterator[MetricPoint]:
    """Yield points of what is known while the job runs: a total grows from its start on, which stays."""
    for place, spec in enumerate(spec for spec in REGISTRY.values() if spec.stage is Stage.RUNNING):
        total = spec.instrument is Instrument.COUNTER
        for turn, attributes in enumerate(_identities(spec.attributes)):
            yield MetricPoint(
                name=spec.name,
                unit=spec.unit,
                value=float((stamp - first) // WINDOW * 1_000 + place * 17 + turn),
                time=stamp,
                start=first - WINDOW if total else stamp,
                attributes={"environment": SERVICE.environment, **attributes},
            )


def _identities(names: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Yield attributes of series: each value of each attribute at least once."""
    choices = {name: _CLOSED.get(name) or ((*PLAIN, *HOSTILE) if name in _FREE else PLAIN) for name in names}
    for turn in range(max(map(len, choices.values()), default=1)):
        yield {name: values[turn % len(values)] for name, values in choices.items()}


def _delay(measurement: Measurement) -> int:
    return parse_duration(measurement.attributes.get("maturity", "0s"))


def _value(spec: MetricSpec, drawn: random.Random) -> float:
    """Return a value that no other point has: shares within [0, 1], else small, large or negative."""
    if spec.unit == "1":
        return drawn.random()
    return drawn.choice((1.0, -1.0, 1e-9, -1e9)) * drawn.uniform(0.1, 10.0)
