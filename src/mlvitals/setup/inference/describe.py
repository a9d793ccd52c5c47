"""The parts found, spelled as a `format`: every native field, where it stands, and why."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from mlvitals import wire
from mlvitals.events.names import flatten
from mlvitals.setup.inference.columns import Column, under
from mlvitals.setup.inference.features import Container, find_flat
from mlvitals.setup.inference.layout import Spelling
from mlvitals.setup.inference.lines import Test
from mlvitals.setup.inference.outputs import PROBABILITIES, find_truth
from mlvitals.setup.inference.parts import Parts
from mlvitals.setup.inference.roles import (
    Choice,
    Trust,
    find_error,
    find_id,
    find_latency,
    find_model,
    find_shared_id,
    find_status,
    find_time,
    find_version,
    find_weight,
    is_naive,
    without,
)

_SHOWN: Final = 5
EVERY_FEATURE: Final = wire.FEATURE_PREFIX + "*"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the summary: a native field (or a key), where it comes from, why, and how sure that is."""

    field: str
    place: str
    why: str
    trust: Trust


@dataclass(slots=True, kw_only=True)
class Mapped:
    """How a log's lines are read.

    format: the keys of its `format`, without the type. parts: what it was made of. chosen: native field to its column.
    features: by name. positional: the log does not name them. missing: what was looked for in vain, or assumed, each a
    sentence.
    """

    format: dict[str, Any]
    parts: Parts
    findings: list[Finding] = field(default_factory=list)
    chosen: dict[str, Column] = field(default_factory=dict)
    features: dict[str, Column] = field(default_factory=dict)
    positional: bool = False
    missing: list[str] = field(default_factory=list)


def describe(parts: Parts, spelling: Spelling, elsewhere: Sequence[Column] = ()) -> Mapped:
    """Assign what is beside features and outputs, and spell all of it.

    Args:
        parts: the predictions.
        spelling: of their paths.
        elsewhere: columns of other lines and files, which may name predictions.

    """
    mapped = Mapped(format={}, parts=parts)
    fields: dict[str, str] = {}
    around = _around(parts)
    chosen = _choose_around(around, parts, elsewhere)
    if wire.PREDICTION_ID not in chosen:
        mapped.missing.append(
            "a prediction's id: no column that is called like one, or that other lines name too, has a value of its "
            "own in nearly every row: no label can join"
        )
        chosen.pop(wire.LABEL, None)
    for name, choice in (*chosen.items(), *parts.outputs.fields.items()):
        fields[name] = spelling.path(choice.column.path)
        mapped.findings.append(Finding(name, fields[name], choice.why, choice.trust))
        mapped.chosen[name] = choice.column
    if parts.outputs.shares is not None:
        fields[PROBABILITIES + ".*"] = spelling.every(parts.outputs.shares)
        why = "numbers from 0 to 1 that sum to 1"
        mapped.findings.append(Finding(PROBABILITIES, fields[PROBABILITIES + ".*"], why, Trust.CERTAIN))
    unexplained = _unexplained(around, chosen, parts)
    container = parts.container or find_flat(unexplained)
    if container is not None:
        _add_features(mapped, fields, container, spelling)
        if not container.path:
            _tell_left_out(mapped, unexplained, container)
    else:
        mapped.missing.append("no features: no object holds several fields that vary, and no column is left over")
    tests = _tests(mapped, around, chosen, spelling)
    mapped.format = {**tests, "map": fields, **_units(chosen), **spelling.shapes()}
    _add_zone(mapped, chosen)
    return mapped


def _around(parts: Parts) -> list[Column]:
    """Return the columns beside the features and the answer."""
    taken = {choice.column.path for choice in parts.outputs.columns}
    if parts.container is not None:
        taken |= {column.path for column in under(parts.columns.values(), parts.container.path)}
    if parts.outputs.shares is not None:
        taken |= {column.path for column in under(parts.columns.values(), parts.outputs.shares)}
    return [column for path, column in parts.columns.items() if path not in taken]


def _choose_around(around: list[Column], parts: Parts, elsewhere: Sequence[Column]) -> dict[str, Choice]:
    """Return what time, id, model, version, latency, error, weight and label are, each of what others left."""
    chosen: dict[str, Choice] = {}

    def take(name: str, choice: Choice | None) -> None:
        if choice is not None:
            chosen[name] = choice

    take(wire.TIMESTAMP, find_time(around))
    if parts.pairs is not None and parts.pairs.by in parts.columns:
        by = parts.columns[parts.pairs.by]
        take(wire.PREDICTION_ID, Choice(by, "requests and responses share it", Trust.CERTAIN))
    else:
        left = without(around, [*chosen.values()])
        take(wire.PREDICTION_ID, find_id(left) or find_shared_id(left, elsewhere))
    for name, find in (
        (wire.MODEL, find_model),
        (wire.MODEL_VERSION, find_version),
        (wire.LATENCY_MS, find_latency),
        (wire.ERROR, find_error),
        (wire.WEIGHT, find_weight),
    ):
        take(name, find(without(around, [*chosen.values()])))
    take(wire.LABEL, find_truth(without(around, [*chosen.values()]), parts.outputs))
    return chosen


def _unexplained(around: list[Column], chosen: Mapping[str, Choice], parts: Parts) -> list[Column]:
    """Return the columns of a flat record that may be features."""
    status = find_status(around)
    left = without(around, [*chosen.values(), status])
    by_test = set(parts.where)
    return [column for column in left if column.path not in by_test]


def _add_features(mapped: Mapped, fields: dict[str, str], container: Container, spelling: Spelling) -> None:
    if container.path:
        fields[EVERY_FEATURE] = spelling.every(container.path)
        place = fields[EVERY_FEATURE]
        mapped.features = {flatten(one.path[len(container.path) :]): one for one in container.columns}
        named = spelling.peeked.positions.get(container.path, ())
        mapped.positional = bool(named) and named[0] == "f0"
    else:
        features = {wire.FEATURE_PREFIX + name: spelling.path(path) for name, path in container.names.items()}
        fields.update(features)
        mapped.features = {name: mapped.parts.columns[path] for name, path in container.names.items()}
        place = _some(container.names)
    trust = Trust.CERTAIN if container.path else Trust.LIKELY
    mapped.findings.append(Finding(EVERY_FEATURE, place, container.why, trust))


def _tell_left_out(mapped: Mapped, unexplained: list[Column], container: Container) -> None:
    left = [column for column in unexplained if column.path not in container.names.values()]
    if left:
        names = _some([column.name for column in left])
        why = "about the program, a name of the row, the same in all, or not called a feature"
        mapped.findings.append(Finding("left out", names, why, Trust.LIKELY))


def _some(names: Collection[str]) -> str:
    """Return the first names, and how many more there are."""
    first = ", ".join(list(names)[:_SHOWN])
    return first if len(names) <= _SHOWN else f"{first} and {len(names) - _SHOWN} more"


def _tests(
    mapped: Mapped, around: list[Column], chosen: Mapping[str, Choice], spelling: Spelling
) -> dict[str, dict[str, Any]]:
    parts, tests = mapped.parts, {}

    def spell(test: Test) -> dict[str, Any]:
        return {spelling.path(path): value for path, value in test.items()}

    if parts.where:
        tests["where"] = spell(parts.where)
        why = parts.note or "the lines of predictions have it, and no other"
        [(path, value)] = tests["where"].items()
        mapped.findings.append(Finding("where", f"{path} = {value}", why, Trust.CERTAIN))
    if parts.pairs is not None:
        tests["join"] = {"request": spell(parts.pairs.request), "response": spell(parts.pairs.response)}
        if wire.LATENCY_MS not in chosen and not parts.pairs.same_time:
            tests["join"]["latency"] = True
        mapped.findings.append(Finding("join", "two lines", "what was asked and what was answered", Trust.CERTAIN))
    status = find_status(around)
    if status is not None:
        tests["failed"] = {spelling.path(status.column.path): ">=400"}
        mapped.findings.append(
            Finding("failed", f"{spelling.path(status.column.path)} >= 400", status.why, status.trust)
        )
    return tests


def _units(chosen: Mapping[str, Choice]) -> dict[str, dict[str, str]]:
    units = {}
    for name in (wire.TIMESTAMP, wire.LATENCY_MS):
        if name in chosen and chosen[name].unit and (name, chosen[name].unit) != (wire.LATENCY_MS, "ms"):
            units[name] = chosen[name].unit
    if wire.WEIGHT in chosen:
        units[wire.WEIGHT] = "rate"
    return {"units": units} if units else {}


def _add_zone(mapped: Mapped, chosen: Mapping[str, Choice]) -> None:
    time = chosen.get(wire.TIMESTAMP)
    if time is None:
        mapped.missing.append("no time: no column holds dates with times of day, or numbers that count since 1970")
    elif is_naive(time.column):
        mapped.format["zone"] = "UTC"
        mapped.missing.append("which zone the times belong to: they name none, and UTC is assumed")
