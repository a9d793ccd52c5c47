"""YAML text to plain mappings: a file, or a folder of files that add up."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from mlvitals.errors import ConfigError

_Base: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc, valid-type]  # the C loader where libyaml is there
    """Plain scalars as YAML 1.2 reads them, so that `no` is text and a date keeps its spelling; no key twice."""

    yaml_implicit_resolvers: Final[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}
    # Nothing but what JSON has, and for any other tag the answer of the safe loader: an error with its line.
    yaml_constructors: Final = {
        tag: construct
        for tag, construct in _Base.yaml_constructors.items()
        if tag is None or tag.rpartition(":")[2] in ("map", "seq", "str", "int", "float", "bool", "null")
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  # PyYAML's signature
        lines: dict[Any, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be text", key.start_mark)
            if key.value in lines:
                problem = f"the key `{key.value}` stands twice, first on line {lines[key.value]}"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            lines[key.value] = key.start_mark.line + 1
        built: dict[Any, Any] = super().construct_mapping(node, deep)
        return built


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),  # 007 is a name, not 7 and not octal
    ("float", r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?", "-+0123456789."),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), list(_first))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One of a file's `models`, as it is written there at an index."""

    file: Path
    index: int
    written: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What files say, unexpanded: the document but for its models, these, and why a file of a folder says nothing."""

    root: dict[str, Any]
    entries: tuple[Entry, ...]
    unread: tuple[str, ...] = ()


def read_written(path: Path) -> Written:
    """Return what a file says, or what a folder's `*.yaml` files say together, in the order of their names.

    In a sum lists are concatenated and mappings united; two different values of one key are refused. A file of a folder
    that cannot be read says nothing, and holds up no other.

    Raises:
        ConfigError: the file, or all of a folder's, cannot be read or is no YAML mapping; or one contradicts another.

    """
    if not path.is_dir():
        return _part(read_document(path), path)
    files = sorted(path.glob("*.yaml"))
    if not files:
        raise ConfigError(f"{path}: the folder holds no *.yaml file")
    root: dict[str, Any] = {}
    entries: list[Entry] = []
    unread: list[str] = []
    for file in files:
        try:
            part = _part(read_document(file), file)
        except ConfigError as error:
            unread.append(str(error))
            continue
        root = _unite(root, part.root, "$", file)
        entries += part.entries
    if len(unread) == len(files):
        raise ConfigError(unread[0])
    return Written(root=root, entries=tuple(entries), unread=tuple(unread))


def _part(document: dict[str, Any], file: Path) -> Written:
    models = document.get("models")
    if not isinstance(models, list):
        return Written(root=document, entries=())  # converting it says what is wrong
    entries = tuple(Entry(file=file, index=index, written=one) for index, one in enumerate(models))
    return Written(root={key: value for key, value in document.items() if key != "models"}, entries=entries)


def read_document(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file.

    Raises:
        ConfigError: the file cannot be read, or is no YAML mapping.

    """
    try:
        document = yaml.load(path.read_bytes(), Loader=_Loader)  # noqa: S506  # a subclass of the safe loader
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        raise ConfigError(f"{path}:{line}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML text: {getattr(error, 'reason', 'unreadable')}") from error
    except (ValueError, KeyError) as error:
        raise ConfigError(f"{path}: a value does not fit the tag in front of it") from error
    if not isinstance(document, dict):
        raise ConfigError(f"{path}: the document must be a mapping, as `models: …` - at `$`")
    try:
        _refuse_odd_keys(document, "$", path)
    except RecursionError:
        raise ConfigError(f"{path}: the document contains itself") from None
    return document


def _refuse_odd_keys(part: Any, path: str, file: Path) -> None:
    if isinstance(part, dict):
        for key, value in part.items():
            if not isinstance(key, str):
                raise ConfigError(f"{file}: the key `{key}` is not text: put it in quotes - at `{path}`")
            _refuse_odd_keys(value, f"{path}.{key}", file)
    elif isinstance(part, list):
        for index, value in enumerate(part):
            _refuse_odd_keys(value, f"{path}[{index}]", file)


def _unite(left: Mapping[str, Any], right: Mapping[str, Any], path: str, file: Path) -> dict[str, Any]:
    united = dict(left)
    for key, value in right.items():
        known = united.get(key, value)
        if isinstance(known, dict) and isinstance(value, dict):
            united[key] = _unite(known, value, f"{path}.{key}", file) if key in left else value
        elif isinstance(known, list) and isinstance(value, list):
            united[key] = known + value if key in left else value
        elif known != value:
            raise ConfigError(f"{file}: another file of the folder gives `{key}` another value - at `{path}.{key}`")
        else:
            united[key] = value
    return united
