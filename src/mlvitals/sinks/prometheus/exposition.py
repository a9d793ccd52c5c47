"""What a scrape is answered: Prometheus's text format, or OpenMetrics where it is asked for."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from mlvitals.signals.spec import Instrument, MetricSpec
from mlvitals.telemetry import MetricPoint, Service
from mlvitals.telemetry.naming.prometheus import labels, metric_name, unit_name
from mlvitals.transport.listen import Page

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_TOTAL: Final = "_total"
_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_ESCAPES_OF_HELP: Final = str.maketrans({"\\": "\\\\", "\n": "\\n"})


class Sample(NamedTuple):
    """One series as it is shown: the signal's full name, its labels as `spell` gives them, its value."""

    signal: str
    labels: str
    value: float


def sample(point: MetricPoint) -> Sample:
    """Return a point as it is shown.

    Raises:
        ValueError: its value is not finite.

    """
    if not math.isfinite(point.value):
        raise ValueError(f"{point.name}: {point.value} is not a value")
    return Sample(point.name, spell(labels(point.attributes, point.tags)), point.value)


def spell(pairs: Mapping[str, str]) -> str:
    """Return labels as they stand between braces."""
    return ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in pairs.items())


def expose(
    samples: Iterable[Sample], specs: Mapping[str, MetricSpec], service: Service, *, open_metrics: bool = False
) -> bytes:
    """Return the samples as text, by the order of the specs; one of a signal that stands in no spec is left out.

    What speaks of the service stands on `target_info`, as it does for what comes by OTLP.
    """
    of_signal: dict[str, list[Sample]] = defaultdict(list)
    for one in samples:
        of_signal[one.signal].append(one)
    lines = [*_about(service, open_metrics=open_metrics)]
    for name, spec in specs.items():
        if name in of_signal:
            lines += _family(spec, of_signal[name], open_metrics=open_metrics)
    return "".join(f"{line}\n" for line in (*lines, *(("# EOF",) if open_metrics else ()))).encode()


def page(samples: Iterable[Sample], specs: Mapping[str, MetricSpec], service: Service, accept: str) -> Page:
    """Return the answer to a scrape that accepts these types."""
    asked = OPEN_METRICS.partition(";")[0] in accept
    body = expose(samples, specs, service, open_metrics=asked)
    return Page(body=body, content_type=OPEN_METRICS if asked else TEXT)


def _family(spec: MetricSpec, samples: Iterable[Sample], *, open_metrics: bool) -> Iterator[str]:
    name = metric_name(spec.name, spec.unit, spec.instrument)
    # A counter's metadata is told of the name without `_total` in the one format, of the whole name in the other.
    family = name.removesuffix(_TOTAL) if open_metrics and spec.instrument is Instrument.COUNTER else name
    unit = unit_name(spec.unit)
    yield f"# HELP {family} {spec.brief.translate(_ESCAPES if open_metrics else _ESCAPES_OF_HELP)}"
    yield f"# TYPE {family} {spec.instrument.value}"
    if unit and family.endswith(f"_{unit}"):
        yield f"# UNIT {family} {unit}"
    for one in sorted(samples):
        yield f"{name}{{{one.labels}}} {one.value!r}" if one.labels else f"{name} {one.value!r}"


def _about(service: Service, *, open_metrics: bool) -> Iterator[str]:
    told = labels({}, {**service.tags, "deployment.environment.name": service.environment})
    yield "# HELP target" + ("" if open_metrics else "_info") + " What speaks here."
    yield "# TYPE target info" if open_metrics else "# TYPE target_info gauge"
    yield f"target_info{{{spell(told)}}} 1"
