"""What a user adds by its import path: statistics, and kinds of formats, sources and sinks."""

import importlib
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from mlvitals.errors import ConfigError

if TYPE_CHECKING:
    from mlvitals.signals.spec import Statistic

Kind = type[msgspec.Struct]

_LIKENESS: Final = "an import path such as `acme.signals:CHURN_MIX`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugins:
    """What was loaded, sorted: statistics, and the configurations of formats, sources and sinks."""

    statistics: "tuple[Statistic, ...]" = ()
    formats: tuple[Kind, ...] = ()
    sources: tuple[Kind, ...] = ()
    sinks: tuple[Kind, ...] = ()


def load_plugins(entries: Sequence[str], base: Path, known: Mapping[str, Sequence[Kind]]) -> Plugins:
    """Import what the entries name, from the configuration's folder first, and sort it.

    Args:
        entries: `module:name`.
        base: the folder.
        known: our own kinds of `formats`, `sources` and `sinks`.

    Raises:
        ConfigError: an entry cannot be imported, is of no known sort, clashes with what exists, or breaks a rule. The
            path of the entry stands in the message; what a broken module raised is the cause.

    """
    statistics: list[Statistic] = []
    kinds: dict[str, list[Kind]] = {sort: list(ours) for sort, ours in known.items()}
    for index, entry in enumerate(entries):
        try:
            found = _find(entry, base)
            if _is_statistic(found):
                _admit_statistic(found, statistics)
                statistics.append(found)
            else:
                sort = _sort(found)
                _admit_kind(found, sort, kinds[sort])
                kinds[sort].append(found)
        except _Refused as error:
            raise ConfigError(f"`{entry}`: {error} - at `$.plugins[{index}]`") from error.__cause__
    added = {sort: tuple(kinds[sort][len(ours) :]) for sort, ours in known.items()}
    return Plugins(statistics=tuple(statistics), **added)


class _Refused(Exception):  # noqa: N818  # it never leaves this file
    """Why an entry cannot be used."""


def _find(entry: str, base: Path) -> Any:
    module_name, _, name = entry.partition(":")
    if not name.isidentifier() or not all(part.isidentifier() for part in module_name.split(".")):
        raise _Refused(f"not {_LIKENESS}")
    try:
        with _importing_from(base):
            module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            raise _Refused(f"there is no module `{error.name}`, neither installed nor in {base}") from error
        raise _Refused(f"the module `{module_name}` needs `{error.name}`, which is not installed") from error
    except Exception as error:
        raise _Refused(f"the module `{module_name}` cannot be imported: {_told(error)}") from error
    if not hasattr(module, name):
        raise _Refused(f"the module `{module_name}` has no `{name}`")
    return getattr(module, name)


@contextmanager
def _importing_from(base: Path) -> Iterator[None]:
    """Let imports look into a folder first."""
    place = str(base)
    sys.path.insert(0, place)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(place)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _is_statistic(found: Any) -> bool:
    from mlvitals.signals.spec import Statistic  # noqa: PLC0415  # who names no plugin need not wait for numpy

    return isinstance(found, Statistic)


def _admit_statistic(statistic: "Statistic", others: Sequence["Statistic"]) -> None:
    from mlvitals.signals.registry import REGISTRY  # noqa: PLC0415  # as above
    from mlvitals.signals.rules import NAMESPACE, broken_rules, clash, is_ours  # noqa: PLC0415  # as above

    spec = statistic.spec
    if is_ours(spec.name):
        raise _Refused(f"the name `{spec.name}` begins with `{NAMESPACE}`, which is ours")
    for problem in broken_rules(spec):
        raise _Refused(problem)
    other = clash(spec.name, [*REGISTRY, *(one.spec.name for one in others)])
    if other is not None:
        raise _Refused(f"the signal `{spec.name}` clashes with `{other}`, which exists already")


def _sort(found: Any) -> str:
    """Return which of a pipeline's parts a configuration opens: told by its `open`, and by whether it has a role."""
    if not (isinstance(found, type) and issubclass(found, msgspec.Struct)):
        raise _Refused("neither a statistic nor the configuration (a msgspec.Struct) of a format, source or sink")
    given = list(inspect.signature(getattr(found, "open", lambda: None)).parameters)[1:2]
    if given == ["context"]:
        return "sinks"
    if given == ["plan"]:
        return "sources" if "role" in found.__struct_fields__ else "formats"
    raise _Refused("it has no `open(self, plan)`, as a format or a source has, nor the `open(self, context)` of a sink")


def _admit_kind(kind: Kind, sort: str, others: Sequence[Kind]) -> None:
    settings = kind.__struct_config__
    if settings.tag_field != "type" or not isinstance(settings.tag, str):
        raise _Refused('it must be declared with `tag_field="type"` and a `tag` that is text')
    if not (settings.frozen and settings.forbid_unknown_fields):
        raise _Refused("it must be declared with `frozen=True, forbid_unknown_fields=True`")
    missing = {"formats": (), "sources": ("role", "name"), "sinks": ("name",)}[sort]
    for field in missing:
        if field not in kind.__struct_fields__:
            raise _Refused(f"it has no field `{field}`, as all {sort} have")
    if settings.tag in {other.__struct_config__.tag for other in others}:
        raise _Refused(f"the type `{settings.tag}` of {sort} exists already")
