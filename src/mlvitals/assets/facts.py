"""What dashboards and monitors must know of the models of a configuration, so that no number stands in two places."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from mlvitals.assets.monitors import INTERVALS, LOOKBACK, TELEMETRY_INTERVAL
from mlvitals.clock import DAY, MINUTE, SECOND
from mlvitals.config import Config, ModelConfig

FRESH: Final = INTERVALS * TELEMETRY_INTERVAL  # seconds: how far back the newest point of the job may be, by default

_LONGEST_MONTH: Final = 31 * DAY
_ON_THE_WAY: Final = 5 * MINUTE  # from the close of a window until a backend can be asked for it


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """One model. Times are seconds.

    lookback_seconds: how far back the newest point of its windows may be as long as all is well. rows, runbook: the
    team's own links, their places in braces as the configuration has them.
    """

    name: str
    owner: str | None
    window_seconds: int
    lookback_seconds: int
    maturities: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    tags: Mapping[str, str]
    currency: str | None
    rows: str | None = None
    runbook: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelGroup:
    """Models that share an owner and a lookback; `models` empty stands for every model.

    apart: it is every model but these. fresh_seconds: how far back the newest point may be of what the job tells of
    itself.
    """

    owner: str | None = None
    lookback_seconds: int = LOOKBACK
    fresh_seconds: int = FRESH
    models: tuple[str, ...] = ()
    apart: bool = False


def facts_of(config: Config) -> tuple[ModelFacts, ...]:
    """Return what is known of the models that a configuration names; those of a pattern are known once they come."""
    return tuple(_facts(model, config.telemetry.interval.microseconds) for model in config.models)


def groups_of(config: Config) -> tuple[ModelGroup, ...]:
    """Return a configuration's models by owner and lookback, the unowned ones first, and at last all others.

    Those are of patterns, and looked back for as far as any that is named.
    """
    models, telemetry = facts_of(config), config.telemetry.interval.microseconds // SECOND

    def key(model: ModelFacts) -> tuple[str, int]:
        return model.owner or "", model.lookback_seconds

    fresh = INTERVALS * telemetry
    named = [
        ModelGroup(
            owner=owner or None,
            lookback_seconds=lookback,
            fresh_seconds=fresh,
            models=tuple(sorted(one.name for one in members)),
        )
        for (owner, lookback), members in groupby(sorted(models, key=key), key=key)
    ]
    others = ModelGroup(
        lookback_seconds=max([LOOKBACK, *(one.lookback_seconds for one in models)]),
        fresh_seconds=fresh,
        models=tuple(sorted(one.name for one in models)),
        apart=True,
    )
    return (*named, others)


def variables_of(config: Config) -> dict[str, Any]:
    """Return the variables of the Terraform modules that follow from a configuration."""
    return {
        "environment": config.service.environment,
        "tags": dict(config.service.tags),
        "telemetry_interval": config.telemetry.interval.microseconds // SECOND,
        "models": {
            one.name: {
                "owner": one.owner,
                "window_seconds": one.window_seconds,
                "lookback_seconds": one.lookback_seconds,
                "maturities": list(one.maturities),
                "segments": list(one.segments),
                "tags": dict(one.tags),
                "currency": one.currency,
                "rows": one.rows,
                "runbook": one.runbook,
            }
            for one in facts_of(config)
        },
    }


def lookback(window: int, *, lateness: int, idle: int, telemetry: int) -> int:
    """Return how far back the newest point of a model's windows may be as long as all is well, all in microseconds.

    A window is told once it is over and late events have had their time, or once its sources are known to be idle; then
    it stands for the next one's length. Two telemetry intervals and some minutes are for the way.
    """
    return 2 * window + lateness + idle + 2 * telemetry + _ON_THE_WAY


def _facts(model: ModelConfig, telemetry: int) -> ModelFacts:
    window = model.windows.size.window.length or _LONGEST_MONTH
    back = lookback(
        window,
        lateness=model.windows.lateness.microseconds,
        idle=model.windows.idle.microseconds,
        telemetry=telemetry,
    )
    return ModelFacts(
        name=model.name,
        owner=model.owner,
        window_seconds=window // SECOND,
        lookback_seconds=back // SECOND,
        maturities=() if model.labels is None else tuple(map(str, model.labels.maturities)),
        segments=model.segments,
        tags=model.tags,
        currency=None if model.cost is None else model.cost.currency,
        rows=model.links.rows,
        runbook=model.links.runbook,
    )
