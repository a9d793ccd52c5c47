"""Datadog's spelling of names, as it stores them: what is sent is what dashboards and monitors must ask for.

Datadog rewrites tags as they arrive, and two that it rewrites to the same become one series. So tags are spelled here,
by the strictest reading of its rules, which leaves it nothing to rewrite: lower case, letters of any script, digits and
`-:./_`, underscores never twice in a row nor at the end, at most 200 characters (of one byte or more, so bytes).
Sources: Datadog's documentation, "Getting started with tags" and "Best practices for naming metrics and tags".
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from mlvitals.hashing import content_hash
from mlvitals.signals.spec import MetricSpec
from mlvitals.telemetry.naming.otel import Spelling, attribute_name
from mlvitals.telemetry.naming.otel import short_name as short_of_attribute

LONGEST: Final = 200

# The one attribute that unified service tagging names for everybody.
_KEYS: Final = {"environment": "env"}
_SHORTS: Final = {key: short for short, key in _KEYS.items()}

# The units of ours that Datadog has, too; it shows others without one. `1` stays without: a drift score is no share.
_UNITS: Final = {"s": "second", "By": "byte", "{event}": "event", "{request}": "request", "{error}": "error"}

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.]*")
_PLAIN: Final = re.compile(r"[a-z0-9\-:./]+(?:_[a-z0-9\-:./]+)*")
_UNDERSCORES: Final = re.compile("_+")
_MARKS: Final = frozenset("-:./")
_ALLOWED: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd"})
_DIGEST: Final = 8  # hexadecimal digits, so that two of a thousand values share one with a probability of 1e-4


def metric_name(name: str) -> str:
    """Return the name of a metric, which is ours: letters, digits, dots and underscores.

    Raises:
        ValueError: Datadog would store it under another name.

    """
    if _NAME.fullmatch(name) is None or len(name) > LONGEST:
        raise ValueError(f"`{name}` can be no metric's name in Datadog")
    return name


def unit_name(unit: str) -> str | None:
    """Return Datadog's name of a unit, None where it has none."""
    return _UNITS.get(unit)


def attribute_key(short: str) -> str:
    """Return the tag key of an attribute by its short name.

    Raises:
        ValueError: the short name is not lower snake case.

    """
    return _KEYS.get(short) or attribute_name(short, Spelling.SHORT)


def short_name(key: str) -> str:
    """Return the short name of the attribute that has this tag key.

    Raises:
        ValueError: no attribute has.

    """
    return _SHORTS.get(key) or short_of_attribute(key, Spelling.SHORT)


@lru_cache(maxsize=1_024)
def tag_key(name: str) -> str:
    """Return the key of a person's own tag; one without a letter gets some."""
    spelled = _spell(name).replace(":", "_")
    key = _UNDERSCORES.sub("_", spelled).strip("_")
    while key and unicodedata.category(key[0])[0] != "L":
        key = key[1:]
    return _cut(key or f"tag_{_UNDERSCORES.sub('_', spelled).strip('_')}", LONGEST // 2)


@lru_cache(maxsize=16_384)
def tag(key: str, value: str) -> str:
    """Return `key:value` as Datadog stores it; nothing for an empty value, which no tag can have.

    The key is spelled already. Different values may give the same tag: see `distinct_tag`.
    """
    spelled = _spell(value)
    if not value:
        return ""
    whole = _cut(f"{key}:{spelled}", LONGEST)
    return whole if len(whole) > len(key) + 1 else distinct_tag(key, value)


def distinct_tag(key: str, value: str, attempt: int = 0) -> str:
    """Return a tag that no other value has: the same with a short hash of the value as it was; `attempt` varies it."""
    digest = content_hash(value.encode("utf-8", "surrogatepass"), b"%d" % attempt)[:_DIGEST]
    cut = _cut(f"{key}:{_spell(value)}", LONGEST - _DIGEST - 1)
    return f"{cut}_{digest}" if len(cut) > len(key) + 1 else f"{key}:{digest}"


def _spell(text: str) -> str:
    if _PLAIN.fullmatch(text) is not None:
        return text
    lowered = "".join(char.lower() for char in text)  # one by one: what a letter becomes must not hang on the next
    return _UNDERSCORES.sub("_", "".join(char if _is_allowed(char) else "_" for char in lowered))


def _is_allowed(char: str) -> bool:
    return char in _MARKS or unicodedata.category(char) in _ALLOWED


def _cut(text: str, longest: int) -> str:
    if len(text) > longest or not text.isascii():
        text = text.encode()[:longest].decode("utf-8", "ignore")
    end = text.rstrip("_:")
    return end if ":" in end or ":" not in text else text[: text.index(":") + 1]


class Inverse:
    """Names as Datadog has them back to those of the registry."""

    def __init__(self, specs: Iterable[MetricSpec]) -> None:
        """Learn the names of some metrics."""
        self._specs = {metric_name(spec.name): spec for spec in specs}
        shorts = {"model", "model_version", "environment", "bound"}.union(
            *(spec.attributes for spec in self._specs.values())
        )
        self._shorts = {attribute_key(short): short for short in shorts}

    def metric(self, name: str) -> MetricSpec:
        """Return the metric that is called so.

        Raises:
            KeyError: none is.

        """
        return self._specs[name]

    def attributes(self, tags: Iterable[str]) -> Mapping[str, str]:
        """Return the attributes among tags, by short names and with values as they are stored; others are left out."""
        pairs = (tag.partition(":") for tag in tags)
        return {self._shorts[key]: value for key, _, value in pairs if key in self._shorts}
