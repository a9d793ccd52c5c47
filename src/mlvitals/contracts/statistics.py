"""What every statistic keeps, whatever evidence it is given."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from math import isfinite
from typing import Final

from mlvitals.contracts.evidence import blank, layouts, situations, usual
from mlvitals.contracts.require import require
from mlvitals.signals.rules import broken_rules
from mlvitals.signals.spec import Evidence, Reading, Statistic
from mlvitals.windows.layout import Layout
from mlvitals.windows.summary import Summary

_OF_THE_MODEL: Final = frozenset({"model", "model_version", "environment"})

Demand = Callable[[Statistic, Mapping[str, Layout]], None]


def check_statistic(statistic: Statistic, *given: Layout) -> None:
    """Hold a statistic against its contract.

    Args:
        statistic: the statistic.
        given: layouts to make evidence from (a reference holds one); where none is given, one for each task, with the
            numeric features `amount`, `risk`, `constant` and `void`, and the categorical `channel`.

    Raises:
        AssertionError: it breaks the contract; the message says how, and on what evidence.

    """
    of = {f"layout {number}": layout for number, layout in enumerate(given)} if given else layouts()
    for demand in STATISTIC_DEMANDS:
        demand(statistic, of)


def follow_the_rules_of_names(statistic: Statistic, of: Mapping[str, Layout]) -> None:
    """Demand that name, unit, attributes and brief are as every signal's."""
    del of
    for problem in broken_rules(statistic.spec):
        raise AssertionError(problem)


def carry_the_declared_attributes(statistic: Statistic, of: Mapping[str, Layout]) -> None:
    """Demand readings from an ordinary window, with the attributes that the spec declares and no other, each once."""
    declared, found = set(statistic.spec.attributes), 0
    for name, layout in of.items():
        seen = set()
        for reading in _read(statistic, usual(layout)):
            given = set(reading.attributes)
            require(given == declared, f"{name}: a reading has the attributes {sorted(given)}, not {sorted(declared)}")
            require(not given & _OF_THE_MODEL, f"{name}: {sorted(given & _OF_THE_MODEL)} are not a statistic's to say")
            texts = [isinstance(value, str) and value != "" for value in reading.attributes.values()]
            require(all(texts), f"{name}: an attribute of {dict(reading.attributes)} is no text, or empty")
            require(_key(reading) not in seen, f"{name}: two readings have the attributes {dict(reading.attributes)}")
            seen.add(_key(reading))
        found += len(seen)
    require(found > 0, "nothing is read from ordinary windows: give a layout with the features that it looks at")


def depend_on_the_evidence_only(statistic: Statistic, of: Mapping[str, Layout]) -> None:
    """Demand that the same evidence gives the same readings in the same order."""
    for name, evidence in _situations(of):
        require(_read(statistic, evidence) == _read(statistic, evidence), f"{name}: a second look reads something else")


def leave_the_evidence_as_it_was(statistic: Statistic, of: Mapping[str, Layout]) -> None:
    """Demand that no count is changed."""
    for name, evidence in _situations(of):
        summaries = [one for one in (evidence.current, evidence.reference) if one is not None]
        before = [(one.served.copy(), one.outcomes.copy()) for one in summaries]
        _read(statistic, evidence)
        for one, (served, outcomes) in zip(summaries, before, strict=True):
            kept = (one.served == served).all() and (one.outcomes == outcomes).all()
            require(kept, f"{name}: the counts of the evidence were changed")


def be_finite(statistic: Statistic, of: Mapping[str, Layout]) -> None:
    """Demand Python's own numbers, none of them infinite or NaN: what is undefined is no reading."""
    for name, reading in _everything(statistic, of):
        numbers = [reading.value, reading.lower, reading.upper, reading.noise, *reading.evidence.values()]
        for number in numbers:
            require(type(number) in (float, str, type(None)), f"{name}: {number!r} is of {type(number)}, not a float")
            require(not isinstance(number, float) or isfinite(number), f"{name}: {number} in {reading}")


def lie_between_the_bounds(statistic: Statistic, of: Mapping[str, Layout]) -> None:
    """Demand that a value lies between its bounds, a ratio from 0 to 1, and that noise is not negative."""
    for name, reading in _everything(statistic, of):
        require(reading.lower is None or reading.lower <= reading.value, f"{name}: {reading} is below its bound")
        require(reading.upper is None or reading.value <= reading.upper, f"{name}: {reading} is above its bound")
        require(reading.noise is None or reading.noise >= 0, f"{name}: the noise of {reading} is negative")
        require(statistic.spec.unit != "1" or 0 <= reading.value <= 1, f"{name}: {reading.value} is no ratio")


def declare_that_they_bring_limits(statistic: Statistic, of: Mapping[str, Layout]) -> None:
    """Demand that readings are held against limits of their own only where the spec says so."""
    for name, reading in _everything(statistic, of):
        declared = reading.limits is None or statistic.spec.brings_limits
        require(declared, f"{name}: {reading} brings limits, which `brings_limits` does not declare")


def rest_on_as_many_samples_as_there_are(statistic: Statistic, of: Mapping[str, Layout]) -> None:
    """Demand whole, non-negative numbers of samples."""
    for name, reading in _everything(statistic, of):
        for samples in (reading.samples, reading.reference_samples):
            sane = samples is None or (type(samples) is int and samples >= 0)
            require(sane, f"{name}: {samples!r} is no number of samples")


def say_nothing_of_an_empty_window(statistic: Statistic, of: Mapping[str, Layout]) -> None:
    """Demand no reading where no event was, but for a count or rate, which is 0."""
    for name, layout in of.items():
        for reading in _read(statistic, blank(layout)):
            counted = statistic.spec.unit.startswith("{") and reading.value == 0.0
            require(counted, f"{name}: an empty window reads {reading.value}; what is undefined is no reading")


def not_depend_on_the_order_of_features(statistic: Statistic, of: Mapping[str, Layout]) -> None:
    """Demand the same readings, in any order, under a layout that lists the features backwards."""
    for name, layout in of.items():
        evidence = usual(layout)
        turned = _turn(evidence.reference) if evidence.reference is not None else None
        other = replace(evidence, current=_turn(evidence.current), reference=turned, training=turned)
        same = sorted(_read(statistic, other), key=_key) == sorted(_read(statistic, evidence), key=_key)
        require(same, f"{name}: other readings where the features stand in another order")


def say_the_same_of_any_split(statistic: Statistic, of: Mapping[str, Layout]) -> None:
    """Demand that a window counted in two parts, added, reads as the whole."""
    for name, layout in of.items():
        evidence = usual(layout)
        whole = evidence.current
        part = Summary(layout, whole.served // 3, whole.outcomes // 3)
        added = part + (whole - part)
        other = replace(evidence, current=added, outcome=added.outcome(0))
        require(_read(statistic, other) == _read(statistic, evidence), f"{name}: two parts, added, read something else")


STATISTIC_DEMANDS: Final[tuple[Demand, ...]] = (
    follow_the_rules_of_names,
    carry_the_declared_attributes,
    depend_on_the_evidence_only,
    leave_the_evidence_as_it_was,
    be_finite,
    lie_between_the_bounds,
    declare_that_they_bring_limits,
    rest_on_as_many_samples_as_there_are,
    say_nothing_of_an_empty_window,
    not_depend_on_the_order_of_features,
    say_the_same_of_any_split,
)


def _read(statistic: Statistic, evidence: Evidence) -> list[Reading]:
    return list(statistic.compute(evidence))


def _key(reading: Reading) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(reading.attributes.items()))


def _situations(of: Mapping[str, Layout]) -> Iterable[tuple[str, Evidence]]:
    for name, layout in of.items():
        for situation, evidence in situations(layout).items():
            yield f"{name}: {situation}", evidence


def _everything(statistic: Statistic, of: Mapping[str, Layout]) -> Iterable[tuple[str, Reading]]:
    for name, evidence in _situations(of):
        for reading in statistic.compute(evidence):
            yield name, reading


def _turn(summary: Summary) -> Summary:
    """Return the same counts under a layout that lists the features backwards."""
    old = summary.layout
    new = Layout(features=old.features[::-1], output=old.output, segments=old.segments)
    turned = Summary(new, summary.served.copy(), summary.outcomes)
    for name, part in new.served_sections.items():
        turned.served[part] = summary.served[old.served_sections[name]]
    return turned
