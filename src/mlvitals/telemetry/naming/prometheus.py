"""Prometheus's spelling: what its OTLP receiver makes of our names by default (UnderscoreEscapingWithSuffixes).

A dashboard thus works for both ways, the push by OTLP and the scrape. Source: OpenTelemetry's rules, "Prometheus and
OpenMetrics compatibility", and those of the translator that Prometheus 3 uses.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from mlvitals.signals.spec import Instrument, MetricSpec
from mlvitals.telemetry.naming.otel import attribute_name

_BREAK: Final = re.compile(r"[^a-zA-Z0-9:]+")  # of a metric's name: underscores among it, so that none stands twice
_NOT_IN_LABEL: Final = re.compile(r"[^a-zA-Z0-9_]")
_RESERVED: Final = re.compile(r"[^a-zA-Z0-9]{2}")  # what becomes `__`

# Units that signals may have; one in braces is a remark and adds nothing.
_UNITS: Final = {"s": "seconds", "By": "bytes"}
_PER: Final = {"s": "per_second"}
RATIO: Final = "1"


def metric_name(name: str, unit: str, instrument: Instrument) -> str:
    """Return the name of a metric: its words joined by `_`, then its unit, then `_total` or `_ratio`.

    A word that is there already is not added again; `total` and `ratio` move to the end.
    """
    words = [word for word in _BREAK.split(name) if word]
    words += [word for word in _unit_words(unit) if word not in words]
    if instrument is Instrument.COUNTER:
        words = [word for word in words if word != "total"] + ["total"]
    elif unit == RATIO:
        words = [word for word in words if word != "ratio"] + ["ratio"]
    joined = "_".join(words)
    return f"_{joined}" if joined[0].isdigit() else joined


def unit_name(unit: str) -> str:
    """Return how a metric's metadata spells its unit, empty where it has none."""
    return "ratio" if unit == RATIO else "_".join(_unit_words(unit))


def _unit_words(unit: str) -> list[str]:
    thing, _, per = unit.partition("/")
    return [word for word in (_UNITS.get(thing), _PER.get(per)) if word]


def label_name(name: str) -> str:
    """Return a label's name for the full name of an attribute, or for a tag.

    Raises:
        ValueError: the name holds no letter and no digit.

    """
    label = _NOT_IN_LABEL.sub("_", name)
    if not label.strip("_"):
        raise ValueError(f"`{name}` can be no label's name")
    if label[0].isdigit():
        return f"key_{label}"
    return f"key{label}" if label[0] == "_" and label[1] != "_" else label


def labels(attributes: Mapping[str, str], tags: Mapping[str, str]) -> dict[str, str]:
    """Return a point's labels by name, in order: attributes by short names, and tags where no attribute is so called.

    Values whose names become the same label are joined with `;` by the order of the names, as the translation does. An
    empty value is no label at all, and what would begin with `__` is left out: those are Prometheus's own.
    """
    spelled = dict(tags) | {attribute_name(short): value for short, value in attributes.items()}
    joined: dict[str, list[str]] = {}
    for name, value in sorted(spelled.items()):
        if _NOT_IN_LABEL.sub("_", name).strip("_") and not _RESERVED.match(name):
            joined.setdefault(label_name(name), []).append(value)
    return {label: text for label, values in sorted(joined.items()) if (text := ";".join(values))}


class Inverse:
    """Names as Prometheus has them back to those of the registry."""

    def __init__(self, specs: Iterable[MetricSpec]) -> None:
        """Learn the names of some metrics.

        Raises:
            ValueError: two of them have one name in Prometheus.

        """
        self._specs: dict[str, MetricSpec] = {}
        self._shorts: dict[str, str] = {}
        for spec in specs:
            name = metric_name(spec.name, spec.unit, spec.instrument)
            other = self._specs.setdefault(name, spec)
            if other is not spec:
                raise ValueError(f"`{spec.name}` and `{other.name}` would both be `{name}`")
            for short in ("model", "model_version", "environment", "bound", *spec.attributes):
                self._shorts[label_name(attribute_name(short))] = short

    def metric(self, name: str) -> MetricSpec:
        """Return the metric that is called so.

        Raises:
            KeyError: none is.

        """
        return self._specs[name]

    def attributes(self, labels: Mapping[str, str]) -> dict[str, str]:
        """Return the attributes among labels, by short names; what is none of ours (job, a tag) is left out."""
        return {self._shorts[name]: value for name, value in labels.items() if name in self._shorts}
