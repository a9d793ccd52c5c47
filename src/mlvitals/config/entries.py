"""The entries of `models`: each a model, a pattern that stands for many, or a fault that concerns no other."""

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec

from mlvitals.config.choices import convert
from mlvitals.config.model import Document, ModelConfig
from mlvitals.config.scalar import decoder
from mlvitals.errors import ConfigError

if TYPE_CHECKING:
    from mlvitals.signals.catalogue import Catalogue
    from mlvitals.signals.spec import Statistic

MODEL_PLACEHOLDER: Final = "{model}"
_LONGEST_PART: Final = 120  # of a file's name, which may have 255 bytes, suffixes included


class ModelFault(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the configuration that could not be used, and holds up no other.

    message: one line that names it. name, match: of the model or pattern that it would be; both None where nobody can
    tell which models it holds. remembers: its predictions would be remembered by their ids.
    """

    message: str
    name: str | None = None
    match: str | None = None
    remembers: bool = False

    @property
    def who(self) -> str:
        """The name, the pattern, or nothing."""
        return self.name or self.match or ""


class PatternConfig(msgspec.Struct, frozen=True, kw_only=True):
    """An entry with `match` in place of `name`: every model whose name fits is one of its own under it.

    written: the entry's other keys, the defaults under them. fault: why the entry cannot be used, if it cannot.
    """

    match: str
    written: Mapping[str, Any]
    base: Path
    fault: str | None = None

    def fits(self, name: str) -> bool:
        """Tell whether a model's name fits."""
        return fnmatchcase(name, self.match)

    def bind(self, name: str) -> ModelConfig:
        """Return the configuration of one model.

        Raises:
            ConfigError: the entry cannot be used.

        """
        if self.fault is not None:
            raise ConfigError(self.fault)
        return convert_model({**self.written, "name": name}, self.base)


class Config(Document, frozen=True, kw_only=True):
    """A document that was checked.

    base: the folder from which its relative paths start. models: those that are named. patterns: those that stand for
    whoever comes, in their order. faults: what could not be used, patterns among it. statistics: what plugins measure.
    """

    base: Path
    patterns: tuple[PatternConfig, ...] = ()
    faults: tuple[ModelFault, ...] = ()
    statistics: "tuple[Statistic, ...]" = ()

    @property
    def signals(self) -> "Catalogue":
        """All that is measured: our signals, and those of plugins after them."""
        from mlvitals.signals.registry import CATALOGUE  # noqa: PLC0415  # scipy is not needed to know what a config is

        return CATALOGUE.joined_by(self.statistics)

    def pattern_of(self, name: str) -> PatternConfig | None:
        """Return the first pattern that a name fits; exact names come before patterns, which the caller sees to."""
        return next((pattern for pattern in self.patterns if pattern.fits(name)), None)


class _One(msgspec.Struct, frozen=True):
    models: tuple[ModelConfig]


def convert_model(written: Any, base: Path) -> ModelConfig:
    """Return the configuration of a model, whose name also stands where its paths say `{model}`.

    Raises:
        ConfigError: it does not fit its shape; the path of the key is that of the first of the `models`.

    """
    entry = _name_paths(written) if isinstance(written, dict) and isinstance(written.get("name"), str) else written
    return convert({"models": [entry]}, _One, decoder(base)).models[0]


def file_part(name: str) -> str:
    """Return a model's name as one part of a path: nothing in it leads elsewhere, and different names stay different.

    Letters, digits and `_`, `-`, `.` (but for a leading one) stay; other bytes are percent-encoded, `~` too, which
    would name a home. A long name is cut, and told apart by a hash.
    """
    spelled = quote(name, safe="", errors="surrogatepass").replace("~", "%7E")
    spelled = f"%2E{spelled[1:]}" if spelled.startswith(".") else spelled
    if len(spelled) <= _LONGEST_PART:
        return spelled
    return f"{spelled[:_LONGEST_PART]}-{blake2b(name.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}"


def _name_paths(entry: dict[str, Any]) -> dict[str, Any]:
    named, part = dict(entry), file_part(entry["name"])
    if isinstance(operating := named.get("operating"), Mapping):
        named["operating"] = _replace(operating, "path", part)
    if isinstance(versions := named.get("versions"), Mapping):
        named["versions"] = {
            version: _replace(one, "training", part) if isinstance(one, Mapping) else one
            for version, one in versions.items()
        }
    return named


def _replace(of: Mapping[str, Any], key: str, part: str) -> dict[str, Any]:
    path = of.get(key)
    return {**of, key: path.replace(MODEL_PLACEHOLDER, part)} if isinstance(path, str) else dict(of)


def at_index(message: str, index: int) -> str:
    """Return a message about the first of the `models` as one about the model at an index."""
    return re.sub(r" - at `\$\.models\[0\]", f" - at `$.models[{index}]", message)
