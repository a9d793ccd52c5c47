"""What a configuration says of a log that is not written as native events: where its fields stand, and as what."""

import re
from collections.abc import Iterator, Mapping
from typing import Final, Literal

import msgspec

from mlvitals import wire
from mlvitals.clock import parse_duration
from mlvitals.events.names import levels_of
from mlvitals.formats.paths import ANY, Path, begins, parse_path
from mlvitals.formats.rows import (
    NAME_FIELDS,
    NUMBER_FIELDS,
    SCALAR_FIELDS,
    TIME_FIELDS,
)
from mlvitals.formats.times import check_zone

Scalar = str | int | float | bool | None
Test = Scalar | tuple[Scalar, ...]
Unit = Literal["s", "ms", "us", "ns", "rate"]

DURATION_UNITS: Final = ("s", "ms", "us", "ns")

_SINGLE: Final = frozenset(
    {
        wire.EVENT,
        wire.ERROR,
        wire.PREDICTION_RANKING,
        wire.RELEVANCE,
        *TIME_FIELDS,
        *NAME_FIELDS,
        *NUMBER_FIELDS,
        *SCALAR_FIELDS,
    }
)
_PREFIXES: Final = (wire.FEATURE_PREFIX, wire.PROBABILITY_PREFIX)
_TEST: Final = re.compile(r"(>=|<=|>|<|!=)\s*(.*)", re.DOTALL)


class JoinConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A request and its response on two lines, one prediction.

    request, response: paths and the values by which each half is told; other lines are skipped. One may be left out
        where a source holds only the other. within: how long after a request its response may come. latency: the
        prediction's latency is the time from one to the other, where none is logged.
    """

    request: Mapping[str, Test] | None = None
    response: Mapping[str, Test] | None = None
    within: str = "10m"
    latency: bool = False

    def __post_init__(self) -> None:
        """Check that a half is told, and the span.

        Raises:
            ValueError: with the reason.

        """
        if not self.request and not self.response:
            raise ValueError("`join` must say by which values a `request` or a `response` is told")
        if parse_duration(self.within) == 0:
            raise ValueError("`within` must be longer than nothing")
        for tests in (self.request, self.response):
            check_tests(tests or {})


class MappedFormat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the fields of native events stand in a log.

    map: native field to the path of its value, or to several of which the first that is there counts; `features.*`
        takes every name that `*` stands for. constants: native field to the value that it has where the log has none.
    where: paths and the values that a line must have; others are skipped. failed: paths and the values by which a
        request is told to have failed.
    json: texts that hold JSON, read in this order. csv: texts that hold lines of comma-separated values, with the
        columns' names. keyed: arrays of objects, with the field that names each. names: arrays, with the names of their
        positions. rows: arrays with one element for each row, read in step; those of `csv` are among them.
    units: of times that are numbers (s, ms, us, ns), of `latency_ms`, and `rate` where a weight is given as a share.
    zone: where times without a zone belong (an IANA name, or an offset like +02:00); without it they are refused.
    join: a request and its response stand on two lines.
    """

    map: Mapping[str, str | tuple[str, ...]] = {}
    constants: Mapping[str, Scalar] = {}
    where: Mapping[str, Test] = {}
    failed: Mapping[str, Test] = {}
    json: tuple[str, ...] = ()
    csv: Mapping[str, tuple[str, ...]] = {}
    keyed: Mapping[str, str] = {}
    names: Mapping[str, tuple[str, ...]] = {}
    rows: tuple[str, ...] = ()
    units: Mapping[str, Unit] = {}
    zone: str | None = None
    join: JoinConfig | None = None

    def __post_init__(self) -> None:
        """Check every path, name and unit.

        Raises:
            ValueError: with the reason.

        """
        check_zone(self.zone)
        for field, paths in self.map.items():
            check_field(field)
            for text in alternatives(paths):
                _check_wildcards(field, text)
        for field, value in self.constants.items():
            check_field(field)
            if field.endswith(".*") or value is None:
                raise ValueError(f"the constant `{field}` must be one field with one value")
        _check_units(self.units)
        check_tests(self.where)
        check_tests(self.failed)
        self._check_shapes()
        if not self.map and any(getattr(self, name) for name in _NEEDS_MAP):
            raise ValueError("`map` must say where the fields of events stand")

    def _check_shapes(self) -> None:
        for text in (*self.json, *self.csv, *self.keyed):
            if ANY in parse_path(text):
                raise ValueError(f"`{text}` must lead to one place: only `map`, `names` and `rows` take `*`")
        for text, names in (*self.csv.items(), *self.names.items()):
            if not names or len(set(names)) < len(names) or not all(names):
                raise ValueError(f"`{text}` needs names for its positions, each once")
        self._check_rows([parse_path(text) for text in (*self.rows, *self.csv)])

    def _check_rows(self, rows: list[Path]) -> None:
        inside = [path for path in rows if any(begins(path, other) for other in rows if other is not path)]
        if inside:
            raise ValueError("`rows` and `csv` must not stand inside one another")
        for text in self.json:
            if any(begins(parse_path(text), path) and parse_path(text) != path for path in rows):
                raise ValueError(f"`{text}`: JSON inside the elements of `rows` cannot be opened")
        joined = () if self.join is None else (self.join.request or {}, self.join.response or {})
        for text in (text for tests in (self.where, self.failed, *joined) for text in tests):
            if any(begins(parse_path(text), path) for path in rows):
                raise ValueError(f"`{text}` differs from row to row: a test is of what stands above `rows`")


_NEEDS_MAP: Final = ("constants", "where", "failed", "json", "csv", "keyed", "names", "rows", "units", "join")


def alternatives(paths: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return a field's paths, in the order in which they count."""
    return (paths,) if isinstance(paths, str) else paths


def check_field(field: str) -> None:
    """Check the name of a native field.

    Raises:
        ValueError: native events have no such field.

    """
    if field in _SINGLE or (field.startswith(_PREFIXES) and all(levels_of(field))):
        return
    near = "features." + field if "." not in field else wire.FEATURE_PREFIX + "…"
    raise ValueError(f"`{field}` is no field of native events (a feature is called `{near}`)")


def comparison(test: Scalar) -> tuple[str, str] | None:
    """Return the sign and the other side of a test like `>=400`, None for a test by value."""
    match = _TEST.fullmatch(test) if isinstance(test, str) else None
    return None if match is None else (match[1], match[2])


def tests_of(test: Test) -> tuple[Scalar, ...]:
    """Return the tests of which one must hold."""
    return test if isinstance(test, tuple) else (test,)


def check_tests(tests: Mapping[str, Test]) -> None:
    """Check paths and the tests of their values.

    Raises:
        ValueError: with the reason.

    """
    for text, test in tests.items():
        if ANY in parse_path(text):
            raise ValueError(f"`{text}` must lead to one place")
        for one in tests_of(test):
            compared = comparison(one)
            if compared is not None and compared[0] != "!=" and not _is_number(compared[1]):
                raise ValueError(f"`{one}` compares with no number")
        if not tests_of(test):
            raise ValueError(f"`{text}` has no value to be told by")


def mapped_paths(mapping: MappedFormat) -> Iterator[tuple[str, str]]:
    """Yield every native field that is mapped with each of its paths."""
    for field, paths in mapping.map.items():
        yield from ((field, text) for text in alternatives(paths))


def _check_wildcards(field: str, text: str) -> None:
    path = parse_path(text)
    if path.count(ANY) > 1 or (ANY in path) != field.endswith(".*"):
        raise ValueError(f"`{field}: {text}`: `*` must stand on both sides, once, and last in the field's name")


def _check_units(units: Mapping[str, Unit]) -> None:
    for field, unit in units.items():
        if field == wire.WEIGHT:
            known: tuple[str, ...] = ("rate",)
        elif field in TIME_FIELDS or field == wire.LATENCY_MS:
            known = DURATION_UNITS
        else:
            raise ValueError(f"`{field}` has no unit: times, `{wire.LATENCY_MS}` and `{wire.WEIGHT}` do")
        if unit not in known:
            raise ValueError(f"the unit of `{field}` is one of {', '.join(known)}")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
