"""What must hold between keys, beyond the shape of each."""

from collections.abc import Iterable

from mlvitals.config.decisions import refuse_unknown_pages
from mlvitals.config.entries import Config
from mlvitals.config.model import PricesConfig
from mlvitals.config.observing import refuse_told_twice
from mlvitals.errors import ConfigError
from mlvitals.sources.base import Role


def check(config: Config) -> None:
    """Refuse a configuration whose parts do not fit together.

    Raises:
        ConfigError: with the path of the key.

    """
    if not config.models and not config.patterns:
        raise ConfigError("no model is configured - at `$.models`")
    _refuse_twice("source", "sources", (source.name for source in config.sources))
    _refuse_twice("sink", "sinks", (sink.name for sink in config.sinks))
    refuse_told_twice(config)
    refuse_unknown_pages(config)
    if config.prices is not None:
        check_prices(config, config.prices, "$.prices")
    if not any(source.role is not Role.LABELS for source in config.sources):
        raise ConfigError("no source carries predictions - at `$.sources`")
    if config.faults or any(pattern.written.get("labels") is not None for pattern in config.patterns):
        return  # whose labels a source carries may be told by what cannot be read
    joins = any(model.labels is not None for model in config.models)
    for index, source in enumerate(config.sources):
        if source.role is Role.LABELS and not joins:
            raise ConfigError(f"a source carries labels, but no model has `labels` - at `$.sources[{index}].role`")


def check_prices(config: Config, prices: PricesConfig, path: str) -> None:
    """Refuse prices of a sink that there is not.

    Raises:
        ConfigError: with the path of the key.

    """
    known = [sink.name for sink in config.sinks]
    for name in prices.sinks:
        if name not in known:
            raise ConfigError(f"there is no sink `{name}`: choose from {', '.join(known)} - at `{path}.sinks`")


def _refuse_twice(what: str, key: str, names: Iterable[str]) -> None:
    seen: dict[str, int] = {}
    for index, name in enumerate(names):
        if name in seen:
            raise ConfigError(
                f"the {what} `{name}` stands twice, first at index {seen[name]} - at `$.{key}[{index}].name`"
            )
        seen[name] = index
