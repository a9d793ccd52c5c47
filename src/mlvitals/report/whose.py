"""What the configuration and the references say of a model: whose it is, where features come from, what is hidden."""

import sqlite3
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mlvitals.config import Config, ModelConfig
from mlvitals.errors import ConfigError, InputError
from mlvitals.telemetry import Links
from mlvitals.windows.reference import Reference, decode_reference, read_reference


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a feature comes from: its group, and what the group says of it; empty where nothing is configured."""

    group: str = ""
    owner: str = ""
    upstream: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """A model's configuration as far as a report tells it. `config` is None where the model is configured no longer."""

    name: str
    config: ModelConfig | None

    @property
    def owner(self) -> str:
        """Whom the model concerns."""
        return (self.config.owner if self.config else None) or ""

    @property
    def links(self) -> Links:
        """Its own links, none of a model that is configured no longer."""
        return Links() if self.config is None else self.config.links.templates

    @property
    def sensitive(self) -> frozenset[str] | None:
        """The features whose values must not be shown; None for all of them, where nobody says which."""
        return None if self.config is None else frozenset(self.config.features.sensitive)

    def origin(self, feature: str) -> Origin:
        """Return where a feature comes from."""
        for name, group in self.config.groups.items() if self.config else ():
            if any(fnmatchcase(feature, pattern) for pattern in group.features):
                return Origin(group=name, owner=group.owner or "", upstream=group.upstream or "")
        return Origin()

    def reference(self, connection: sqlite3.Connection) -> tuple[Reference | None, str]:
        """Return the operating reference, from its file or as it was learnt, or None and why there is none."""
        learnt = connection.execute("SELECT reference FROM learnt WHERE model = ?", (self.name,)).fetchone()
        if learnt is not None:
            return decode_reference(learnt[0], f"the reference learnt for {self.name}"), ""
        if self.config is None:
            return None, "the model is configured no longer, so its reference is not known"
        operating = self.config.operating
        if operating is None:
            return None, "no operating reference is configured"
        if operating.path is None:
            return None, f"the reference is still being learnt from the first {operating.first}"
        try:
            return read_reference(operating.path), ""
        except InputError as error:
            return None, str(error)


def whose(config: Config, name: str) -> Whose:
    """Return what the configuration says of a model: its own entry, else that of the first pattern it fits."""
    for model in config.models:
        if model.name == name:
            return Whose(name=name, config=model)
    pattern = config.pattern_of(name)
    try:
        return Whose(name=name, config=None if pattern is None else pattern.bind(name))
    except ConfigError:
        return Whose(name=name, config=None)
