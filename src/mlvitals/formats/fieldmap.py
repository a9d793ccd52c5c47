"""A mapping made ready: every path parsed, and what a wildcard must leave to others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from mlvitals.clock import parse_duration
from mlvitals.formats.mapping import (
    JoinConfig,
    MappedFormat,
    Scalar,
    Test,
    Unit,
    alternatives,
    mapped_paths,
    tests_of,
)
from mlvitals.formats.paths import ANY, Path, begins, parse_path

Tests = tuple[tuple[Path, tuple[Scalar, ...]], ...]


class Wildcard(NamedTuple):
    """A path with `*`, and what it must not take: `others` have a meaning of their own."""

    path: Path
    others: tuple[Path, ...]

    def takes(self, path: Path) -> bool:
        """Tell whether what stands at a path below belongs to this wildcard."""
        return not any(begins(path, other) for other in self.others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """How the two halves of a prediction are told, None where a source does not hold one."""

    request: Tests | None
    response: Tests | None
    within: int
    latency: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMap:
    """What to take from a document, and where it stands.

    single: native field to its paths, the first that is there counts. wild: prefix of native fields to the paths whose
    `*` names them. The others are those of `MappedFormat`, parsed.
    """

    single: tuple[tuple[str, tuple[Path, ...]], ...]
    wild: tuple[tuple[str, tuple[Wildcard, ...]], ...]
    constants: Mapping[str, Scalar]
    where: Tests
    failed: Tests
    json: tuple[Path, ...]
    csv: tuple[tuple[Path, tuple[str, ...]], ...]
    keyed: tuple[tuple[Path, str], ...]
    names: tuple[tuple[Path, tuple[str, ...]], ...]
    rows: tuple[Path, ...]
    units: Mapping[str, Unit]
    half: Half | None = None

    def is_by_row(self, path: Path) -> bool:
        """Tell whether what a path leads to differs from row to row of one line."""
        return any(begins(path, prefix) for prefix in self.rows)

    def names_at(self, path: Path) -> tuple[str, ...]:
        """Return the names of an array's positions, none where they have none."""
        for pattern, names in self.names:
            if len(pattern) == len(path) and begins(path, pattern):
                return names
        return ()

    def values(self) -> list[Path]:
        """Return every path that a value is taken from."""
        found = [path for _, paths in self.single for path in paths]
        found += [wildcard.path for _, wildcards in self.wild for wildcard in wildcards]
        found += [path for path, _ in (*self.where, *self.failed)]
        if self.half is not None:
            found += [path for tests in (self.half.request, self.half.response) for path, _ in tests or ()]
        # The field that names each element of a keyed array is needed beside what is taken of the elements.
        return found + [(*path, "", name) for path, name in self.keyed]

    def structures(self) -> list[Path]:
        """Return every path that says how to read a document."""
        found = [*self.json, *self.rows, *(path for path, _ in self.keyed)]
        return found + [path for path, _ in (*self.csv, *self.names)]


def make_field_map(mapping: MappedFormat) -> FieldMap:
    """Parse a mapping, which has been checked."""
    fields = {name: tuple(map(parse_path, alternatives(paths))) for name, paths in mapping.map.items()}
    taken = _taken(mapping)
    csv = tuple((parse_path(text), names) for text, names in mapping.csv.items())
    return FieldMap(
        single=tuple((name, paths) for name, paths in fields.items() if not name.endswith(".*")),
        wild=tuple(
            (name.removesuffix("*"), tuple(Wildcard(path, _others(path, taken)) for path in paths))
            for name, paths in fields.items()
            if name.endswith(".*")
        ),
        constants=mapping.constants,
        where=_parse_tests(mapping.where),
        failed=_parse_tests(mapping.failed),
        json=tuple(map(parse_path, mapping.json)),
        csv=csv,
        keyed=tuple((parse_path(text), name) for text, name in mapping.keyed.items()),
        names=tuple((parse_path(text), names) for text, names in mapping.names.items()),
        rows=(*map(parse_path, mapping.rows), *(path for path, _ in csv)),
        units=mapping.units,
        half=None if mapping.join is None else _parse_join(mapping.join),
    )


def _taken(mapping: MappedFormat) -> list[Path]:
    """Return the paths that have a meaning of their own: values, tests, and what has a structure to be read by."""
    joined = () if mapping.join is None else (mapping.join.request or {}, mapping.join.response or {})
    texts = [text for tests in (mapping.where, mapping.failed, *joined) for text in tests]
    texts += [*mapping.json, *mapping.csv, *mapping.keyed, *mapping.names, *mapping.rows]
    taken = list(map(parse_path, texts))
    for _, text in mapped_paths(mapping):
        path = parse_path(text)
        taken.append(path[: path.index(ANY)] if ANY in path else path)
    return list(dict.fromkeys(path for path in taken if path))


def _others(path: Path, taken: list[Path]) -> tuple[Path, ...]:
    """Return the paths that a wildcard leaves alone: all that it does not lead through itself."""
    return tuple(other for other in taken if path[: len(other)] != other)


def _parse_tests(tests: Mapping[str, Test]) -> Tests:
    return tuple((parse_path(text), tests_of(test)) for text, test in tests.items())


def _parse_join(join: JoinConfig) -> Half:
    return Half(
        request=None if join.request is None else _parse_tests(join.request),
        response=None if join.response is None else _parse_tests(join.response),
        within=parse_duration(join.within),
        latency=join.latency,
    )
