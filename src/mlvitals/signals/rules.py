"""What the metadata of every signal keeps: ours by test, a user's as the configuration is read."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from mlvitals.signals.spec import MetricSpec, Stage

NAMESPACE: Final = "mlvitals."
SHARED_ATTRIBUTES: Final = frozenset(
    {"feature", "method", "comparison", "segment", "class", "quantile", "maturity", "metric", "family", "currency"}
)

# What a job tells of itself.
RUNNING_ATTRIBUTES: Final = frozenset(
    {"outcome", "destination", "fate", "model", "verdict", "owner", "detector", "subject", "costs"}
)

_LONGEST: Final = 255  # of a metric's name, in OpenTelemetry
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(\.[a-z][a-z0-9]*(_[a-z0-9]+)*){2,}")
# Prometheus appends the unit, and would append it twice.
_UNIT_IN_NAME: Final = re.compile(r"_(total|seconds|ratio|count)$|(^|[._])(s|ms|seconds)([._]|$)")
_UNIT: Final = re.compile(r"1|s|By|\{[a-z]+\}(/s)?")
_SENTENCE: Final = re.compile(r"[A-Z][^|\n]+\.")


def is_ours(name: str) -> bool:
    """Tell whether a signal's name is one that only we give."""
    return name.startswith(NAMESPACE)


def broken_rules(spec: MetricSpec) -> Iterator[str]:
    """Yield, a sentence each, what is wrong with a signal's name, unit, attributes or brief."""
    if _NAME.fullmatch(spec.name) is None:
        yield f"the name `{spec.name}` must be lower-case words in three or more parts, as `acme.churn.mix`"
    if len(spec.name) > _LONGEST:
        yield f"the name has {len(spec.name)} characters, and {_LONGEST} at most are allowed"
    if _UNIT_IN_NAME.search(spec.name):
        yield f"the name `{spec.name}` holds a unit or `_total`, which backends append themselves"
    if _UNIT.fullmatch(spec.unit) is None:
        yield f"the unit `{spec.unit}` must be `1`, `s`, `By`, or a thing in braces, as `{{customer}}`"
    if (spec.unit == "1") is not spec.name.endswith(".ratio"):
        yield f"the name of what has the unit 1, and no other, ends with `.ratio`; `{spec.name}` has `{spec.unit}`"
    yield from _broken_attributes(spec)
    if spec.warning_windows < 1 or (spec.warning_windows > 1 and spec.stage is not Stage.WINDOW):
        yield "`warning_windows` is 1 or more, and more than 1 only of a signal known as a window closes"
    if _SENTENCE.fullmatch(spec.brief) is None:
        yield "the brief must be one sentence that begins with a capital and ends with a full stop, without `|`"


def _broken_attributes(spec: MetricSpec) -> Iterator[str]:
    known = RUNNING_ATTRIBUTES if spec.stage is Stage.RUNNING else SHARED_ATTRIBUTES
    strange = sorted(set(spec.attributes) - known)
    if strange:
        yield f"`{strange[0]}` is no attribute of signals: choose from {', '.join(sorted(known))}"
    if len(set(spec.attributes)) < len(spec.attributes):
        yield "an attribute is declared twice"
    if (spec.stage is Stage.MATURITY) is not ("maturity" in spec.attributes):
        yield "a signal known at a maturity has the attribute `maturity`, and no other has"


def clash(name: str, others: Iterable[str]) -> str | None:
    """Return the name among others that is the same, or the namespace of the other one; None where there is none."""
    return next(
        (other for other in others if other == name or other.startswith(f"{name}.") or name.startswith(f"{other}.")),
        None,
    )
