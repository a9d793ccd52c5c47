"""Which models a configuration lets in: those that it names, and those that come and fit a pattern."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from mlvitals.config import Config, ModelConfig
from mlvitals.engines.account import Account
from mlvitals.engines.deciding import Deciding
from mlvitals.engines.feature_groups import FeatureGroups
from mlvitals.engines.judging import Judge
from mlvitals.engines.layouts import References, choice_of
from mlvitals.engines.model import ModelRun
from mlvitals.engines.page_budget import PageBudget
from mlvitals.engines.pricing import terms_of
from mlvitals.engines.roster import Member, cause_of
from mlvitals.errors import ConfigError
from mlvitals.hashing import KeyedHash
from mlvitals.plan import Monitored, monitored
from mlvitals.telemetry import Links, Service
from mlvitals.windows.reference import Reference, decode_reference, read_reference

# A pattern may fit what nobody meant: a name with a request's id in it has no end of values.
MODELS_PER_PATTERN: Final = 1_000
_LONGEST_NAME: Final = 500


class Admission:
    """Builds a configuration's models over an open state. Every call belongs into the caller's transaction."""

    def __init__(self, config: Config, connection: sqlite3.Connection, key: KeyedHash, account: Account) -> None:
        self._config = config
        self._connection = connection
        self._key = key
        self._account = account
        self._models = {model.name: model for model in config.models}
        self._faults = {fault.name: fault.message for fault in config.faults if fault.name is not None}
        self._unread = [fault.message for fault in config.faults if not fault.who]
        self._of_pattern: Counter[str] = Counter()
        self._full: dict[str, str] = {}
        self._errors: list[Exception] = []
        self._judges: dict[str, Judge] = {}
        self._pages = PageBudget(config.decisions, config.budget.versions)
        for model in config.models:  # also those that cannot run: what they have is not to move others' bars
            self._pages.join(model, (), ())

    @property
    def problems(self) -> list[str]:
        """The patterns that let in no more models."""
        return list(self._full.values())

    @property
    def maturities(self) -> dict[str, list[str]]:
        """Every model that was let in, with the maturities at which it is judged."""
        labels = {name: model.labels for name, model in self._models.items()}
        return {name: [] if one is None else [str(age) for age in one.maturities] for name, one in labels.items()}

    def begin(self) -> tuple[dict[str, Member], dict[str, str]]:
        """Return all models that run by now, and why others cannot: those named, and those discovered before.

        Raises:
            MlvitalsError: no model can run, and none can come: the first one's error.

        """
        members: dict[str, Member] = {}
        faults = dict(self._faults)
        for name in dict.fromkeys([*self._models, *discovered(self._connection)]):
            if name in self._faults:
                continue
            found = self._member(name) if name in self._models else self(name)
            if isinstance(found, Member):
                members[name] = found
            elif found is not None:
                faults[name] = found
        if self._errors and not members and not self._config.patterns and not self._unread:
            raise self._errors[0]
        return members, faults

    def __call__(self, name: str) -> Member | str | None:
        """Return a model that fits a pattern, why it cannot run, or None where it is none of ours.

        Where a file of the configuration cannot be read, nobody can tell what is ours.
        """
        pattern = self._config.pattern_of(name) if 0 < len(name) <= _LONGEST_NAME else None
        if pattern is None:
            return f"it may be one of a configuration that cannot be read: {self._unread[0]}" if self._unread else None
        if self._of_pattern[pattern.match] >= MODELS_PER_PATTERN:
            self._full[pattern.match] = (
                f"models that fit `{pattern.match}`: {MODELS_PER_PATTERN:,} are known, events of others are counted "
                "unknown_model"
            )
            return None
        self._of_pattern[pattern.match] += 1
        self._connection.execute(
            "INSERT OR IGNORE INTO discovered SELECT ?, coalesce(max(sequence), 0) + 1 FROM discovered", (name,)
        )
        try:
            self._models[name] = pattern.bind(name)
        except ConfigError as error:
            return str(error)
        return self._member(name)

    def service(self, name: str) -> Service:
        """Return who speaks for a model that was let in; of another, or of none, the process itself."""
        return service_of(self._config, self._models.get(name))

    def monitored(self, name: str) -> Monitored:
        """Return what the series of a model that was let in depend on."""
        return monitored(self._models[name], self._judges[name])

    def _member(self, name: str) -> Member | str:
        try:
            return self._build(self._models[name])
        except Exception as error:  # noqa: BLE001  # whatever is wrong with one model's reference or state, others go on
            self._errors.append(error)
            return cause_of(error)

    def _build(self, model: ModelConfig) -> Member:
        references = references_of(model)
        learnt = self._connection.execute("SELECT reference FROM learnt WHERE model = ?", (model.name,)).fetchone()
        if references.operating is None and learnt is not None:
            references.learn(decode_reference(learnt[0], f"the reference learnt for `{model.name}`"))
        judge = judge_of(self._config, model, references)
        self._judges[model.name] = judge
        run = ModelRun(self._connection, model, references, self._key, self._account)
        return Member(run, judge, Deciding(run, self._pages))


def judge_of(config: Config, model: ModelConfig, references: References) -> Judge:
    """Return what measures a model's cohorts."""
    return Judge(
        model=model.name,
        environment=config.service.environment,
        references=references,
        metrics=frozenset(model.performance.metrics),
        sensitive=frozenset(model.features.sensitive),
        groups=FeatureGroups(model.groups),
        signals=config.signals,
        decisions=config.decisions,
        costs=terms_of(model),
        one_sided=model.labels is not None and model.labels.only is not None,
    )


def discovered(connection: sqlite3.Connection) -> list[str]:
    """Return the models that patterns have let in, in the order in which they came."""
    return [name for (name,) in connection.execute("SELECT model FROM discovered ORDER BY sequence")]


def models_of(config: Config, names: Iterable[str]) -> list[ModelConfig]:
    """Return the models that a configuration names, and those of other names that fit one of its patterns."""
    models = {model.name: model for model in config.models}
    faulty = {fault.name for fault in config.faults}
    for name in names:
        pattern = None if name in models or name in faulty else config.pattern_of(name)
        if pattern is not None and pattern.fault is None:
            models[name] = pattern.bind(name)
    return list(models.values())


def references_of(model: ModelConfig) -> References:
    """Return what a model's references hold.

    Raises:
        InputError: one cannot be read.
        ConfigError: one was built for another model, or with windows of another size.

    """
    operating = None if model.operating is None else model.operating.path
    known = References(
        choice_of(model),
        operating=None if operating is None else read_reference(operating),
        training={version: read_reference(one.training) for version, one in model.versions.items()},
    )
    for reference in (known.operating, *known.training.values()):
        if reference is not None:
            _check_reference(model, reference)
    return known


def _check_reference(model: ModelConfig, reference: Reference) -> None:
    if reference.model != model.name:
        raise ConfigError(f"model `{model.name}`: its reference was built for model `{reference.model}`")
    if reference.window != model.windows.size:
        raise ConfigError(
            f"model `{model.name}`: its reference was built with windows of {reference.window}, "
            f"the configuration says {model.windows.size}: build it again, or change `windows.size`"
        )


def service_of(config: Config, model: ModelConfig | None = None) -> Service:
    """Return who speaks, for a model or for the process.

    A model's tags go over those of the service, also where the budget keeps either off points.
    """
    service, allowed = config.service, config.budget.tags
    of_model = {} if model is None else model.tags

    def on_points(tags: Mapping[str, str], *, wanted: bool) -> dict[str, str]:
        return {name: value for name, value in tags.items() if (allowed is None or name in allowed) is wanted}

    return Service(
        name=service.name,
        environment=service.environment,
        tags=on_points(service.tags, wanted=True),
        owner="" if model is None else model.owner or "",
        links=Links() if model is None else model.links.templates,
        model_tags=on_points(of_model, wanted=True),
        log_tags=on_points({**service.tags, **of_model}, wanted=False),
    )
